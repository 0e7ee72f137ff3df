#include "consumers/recount/audit_floor.h"

#include "common/calendar.h"
#include "common/store.h"

#include <stdlib.h>

void floors_clear(struct floors *floors)
{
    for (int i = 0; i < floors->count; i++)
        free(floors->steps[i].from);
    free(floors->steps);
    *floors = (struct floors){.partitions = floors->partitions, .now = STORE_NO_FLOOR};
}

/* "sales:0=1220 sales:1=1325 service:0=7". */
static int read_positions(struct floor_step *step, int32_t partitions, const char *text,
                          const char *word)
{
    size_t len = strlen(word);
    while (*text) {
        char *end;
        bool mine = strncmp(text, word, len) == 0 && text[len] == ':';
        const char *colon = strchr(text, ':');
        if (!colon)
            return -1;
        long partition = strtol(colon + 1, &end, 10);
        if (*end != '=')
            return -1;
        long long offset = strtoll(end + 1, &end, 10);
        if ((*end && *end != ' ') || partition < 0 || offset < 0)
            return -1;
        if (mine && partition < partitions)
            step->from[partition] = offset;
        text = *end ? end + 1 : end;
    }
    return 0;
}

int floors_add(struct floors *floors, const char *date, const char *positions, const char *word,
               struct error *err)
{
    struct floor_step *grown = realloc(floors->steps, ((size_t)floors->count + 1) * sizeof *grown);
    if (!grown)
        return error_memory(err);
    floors->steps = grown;
    struct floor_step *step = &grown[floors->count];
    step->from = calloc((size_t)floors->partitions, sizeof *step->from);
    if (!step->from)
        return error_memory(err);
    floors->count++;
    if (!calendar_parse_date(text_of(date), &step->day) ||
        read_positions(step, floors->partitions, positions, word) != 0)
        return error_set(err, ERROR_STORE, "the hash floors says of %.20s: %.80s", date, positions);
    return 0;
}

int32_t floors_at(const struct floors *floors, int32_t partition, int64_t offset)
{
    int32_t floor = STORE_NO_FLOOR;
    bool written = false;
    for (int i = 0; i < floors->count; i++) {
        const struct floor_step *step = &floors->steps[i];
        written = written || step->day == floors->now;
        if (offset >= step->from[partition] && step->day > floor)
            floor = step->day;
    }
    return !written && floors->now > floor ? floors->now : floor;
}
