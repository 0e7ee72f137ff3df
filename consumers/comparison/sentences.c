#include "consumers/comparison/sentences.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct sentences {
    char **list;
    size_t count, room;
};

int sentences_open(struct sentences **out, struct error *err)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : error_memory(err);
}

void sentences_free(struct sentences *sentences)
{
    if (!sentences)
        return;
    for (size_t i = 0; i < sentences->count; i++)
        free(sentences->list[i]);
    free(sentences->list);
    free(sentences);
}

static int make_room(struct sentences *sentences, struct error *err)
{
    if (sentences->count < sentences->room)
        return 0;
    size_t room = sentences->room ? sentences->room * 2 : 16;
    char **list = realloc(sentences->list, room * sizeof *list);
    if (!list)
        return error_memory(err);
    sentences->list = list;
    sentences->room = room;
    return 0;
}

int sentences_add(struct sentences *sentences, struct error *err, const char *format, ...)
{
    char *line = NULL;
    va_list args;
    if (make_room(sentences, err))
        return -1;
    va_start(args, format);
    int length = vasprintf(&line, format, args);
    va_end(args);
    if (length < 0)
        return error_memory(err);
    for (char *p = line; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    sentences->list[sentences->count++] = line;
    return 0;
}

size_t sentences_count(const struct sentences *sentences)
{
    return sentences ? sentences->count : 0;
}

const char *sentences_at(const struct sentences *sentences, size_t i)
{
    return sentences->list[i];
}
