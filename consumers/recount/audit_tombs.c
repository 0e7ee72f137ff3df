#include "consumers/recount/audit_tombs.h"

#include "consumers/customers/ledger_key.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void tombs_clear(struct tombs *tombs)
{
    free(tombs->list);
    *tombs = (struct tombs){0};
}

int tombs_add(struct tombs *tombs, struct text field, const char *value, struct error *err)
{
    int read = 0;
    if (tombs->count == tombs->room) {
        size_t room = tombs->room ? 2 * tombs->room : 64;
        struct tomb *list = realloc(tombs->list, room * sizeof *list);
        if (!list)
            return error_memory(err);
        tombs->list = list;
        tombs->room = room;
    }
    struct tomb *tomb = &tombs->list[tombs->count];
    if (field.len >= sizeof tomb->field ||
        sscanf(value, "%" SCNd64 ":%" SCNd64 "%n", &tomb->from[SIDE_SALE],
               &tomb->from[SIDE_SERVICE], &read) != 2 ||
        value[read])
        return error_set(err, ERROR_STORE, "the hash forgotten says of %.60s: %.60s", field.at,
                         value);
    snprintf(tomb->field, sizeof tomb->field, "%.*s", TEXT_ARG(field));
    tombs->count++;
    return 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct tomb *)a)->field, ((const struct tomb *)b)->field);
}

void tombs_sort(struct tombs *tombs)
{
    if (tombs->count)
        qsort(tombs->list, tombs->count, sizeof *tombs->list, compare);
}

static int compare_field(const void *field, const void *tomb)
{
    return strcmp(field, ((const struct tomb *)tomb)->field);
}

const struct tomb *tombs_find(const struct tombs *tombs, int32_t partition, struct text customer)
{
    char field[LEDGER_KEY_MAX];
    if (tombs->count == 0)
        return NULL;
    return bsearch(ledger_forgotten_field(field, partition, customer), tombs->list, tombs->count,
                   sizeof *tombs->list, compare_field);
}
