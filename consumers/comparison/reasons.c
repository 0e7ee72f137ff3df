#include "consumers/comparison/reasons.h"

#include "consumers/comparison/metrics.h"

#include <stdio.h>
#include <string.h>

void reasons_add(struct reasons *reasons, const char *metric, const char *value, const char *op,
                 const char *threshold, __int128 n)
{
    char number[40];
    size_t room = sizeof reasons->text - reasons->length;
    char *at = reasons->text + reasons->length;
    struct metric_value count = {.defined = true, .num = n, .den = 1};
    metric_format(METRIC_COUNT, &count, number);
    int length = snprintf(at, room, "%s%s %s %s %s (n=%s)", reasons->length ? "; " : "", metric,
                          value, op, threshold, number);
    if (length < 0 || (size_t)length >= room)
        *at = '\0';
    else
        reasons->length += (size_t)length;
}

bool reasons_next(const char **text, struct reason *out)
{
    int used = 0;
    *text += strspn(*text, "; ");
    if (sscanf(*text, "%63[^ ] %47[^ ] %3[<>=] %47[^ ] (n=%47[^)])%n", out->metric, out->value,
               out->op, out->threshold, out->n, &used) != 5 ||
        used == 0)
        return false;
    *text += used;
    return true;
}
