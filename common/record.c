#include "common/record.h"

const char *side_name(enum side side)
{
    return side == SIDE_SALE ? "sale" : "service";
}
