#include "common/names.h"

void names_open(struct names *names, const char *const *list, int count)
{
    names->list = list;
    memset(names->slot, 0, sizeof names->slot);
    for (int place = 0; place < count; place++) {
        size_t len = strlen(list[place]);
        names->length[place] = (uint8_t)len;
        unsigned i = names_mix(list[place], len);
        while (names->slot[i % NAMES_SLOTS])
            i++;
        names->slot[i % NAMES_SLOTS] = (uint8_t)(place + 1);
    }
}
