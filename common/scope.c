#define XXH_INLINE_ALL /* values and ids are short: a call would cost more than the hash */
#include "common/scope.h"

#include "common/event_data.h"

#include <stdlib.h>

enum source { FROM_REGION, FROM_CHANNEL, FROM_REP, FROM_LINE, FROM_LABEL };

struct dimension {
    char *name;          /* "region", "labels.segment" */
    enum source source;
    const char *label;   /* the part after "labels." */
};

struct value {
    int dimension;
    uint32_t at, len;    /* in the pool of bytes */
};

struct scopes {
    struct dimension dimensions[SCOPE_DIMENSIONS_MAX];
    int dimension_count, line;     /* line: its dimension, -1: none */
    struct value *values;          /* values[0] is `all` */
    uint32_t value_count, value_room;
    char *bytes;
    size_t byte_count, byte_room;
    uint32_t *index;               /* value number, 0: free */
    uint32_t index_room;           /* power of two, at least twice value_room */
    bool failed;
};

static const char *const source_names[] = {"region", "channel", "rep", "line"};

/* "labels." and a slug. */
static bool is_label(struct text name)
{
    return name.len > 7 && memcmp(name.at, "labels.", 7) == 0 &&
           event_is_slug((struct text){name.at + 7, name.len - 7});
}

static int add_dimension(struct scopes *s, struct text name, struct error *err)
{
    struct dimension *d = &s->dimensions[s->dimension_count];
    for (int i = 0; i < s->dimension_count; i++)
        if (text_is(name, s->dimensions[i].name))
            return error_set(err, ERROR_USAGE, "scopes: %.*s stands there twice", TEXT_ARG(name));
    if (s->dimension_count == SCOPE_DIMENSIONS_MAX)
        return error_set(err, ERROR_USAGE, "scopes: more than %d dimensions", SCOPE_DIMENSIONS_MAX);
    int source = 0;
    while (source < FROM_LABEL && !text_is(name, source_names[source]))
        source++;
    if (source == FROM_LABEL && !is_label(name))
        return error_set(err, ERROR_USAGE,
                         "scopes: \"%.*s\" is none of region, channel, rep, line, labels.NAME",
                         TEXT_ARG(name));
    d->name = strndup(name.at, name.len);
    if (!d->name)
        return error_memory(err);
    d->source = (enum source)source;
    d->label = source == FROM_LABEL ? d->name + 7 : NULL;
    if (source == FROM_LINE)
        s->line = s->dimension_count;
    s->dimension_count++;
    return 0;
}

static int parse_dimensions(struct scopes *s, const char *list, struct error *err)
{
    while (*list) {
        size_t len = strcspn(list, ",");
        struct text name = {list, len};
        while (name.len && *name.at == ' ') {
            name.at++;
            name.len--;
        }
        while (name.len && name.at[name.len - 1] == ' ')
            name.len--;
        if (name.len && add_dimension(s, name, err) != 0)
            return -1;
        list += len + (list[len] == ',');
    }
    return 0;
}

int scopes_open(struct scopes **out, const char *list, struct error *err)
{
    struct scopes *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return error_memory(err);
    s->line = -1;
    s->value_room = 1024;
    s->byte_room = 16384;
    s->index_room = 4096;
    s->values = calloc(s->value_room, sizeof *s->values);
    s->bytes = malloc(s->byte_room);
    s->index = calloc(s->index_room, sizeof *s->index);
    int rc = s->values && s->bytes && s->index ? parse_dimensions(s, list, err) : error_memory(err);
    if (rc != 0) {
        scopes_free(s);
        return -1;
    }
    s->value_count = 1;
    *out = s;
    return 0;
}

void scopes_free(struct scopes *scopes)
{
    if (!scopes)
        return;
    for (int i = 0; i < scopes->dimension_count; i++)
        free(scopes->dimensions[i].name);
    free(scopes->values);
    free(scopes->bytes);
    free(scopes->index);
    free(scopes);
}

/* Four to sixteen bytes as two words; the halves may overlap. */
static inline void words_of(struct text text, uint64_t words[2])
{
    words[0] = words[1] = 0;
    if (text.len >= 8) {
        memcpy(&words[0], text.at, 8);
        memcpy(&words[1], text.at + text.len - 8, 8);
    } else {
        memcpy(&words[0], text.at, 4);
        memcpy(&words[1], text.at + text.len - 4, 4);
    }
}

/* Most values have four to sixteen bytes: two multiplications spread those well enough. */
static inline uint32_t home(const struct scopes *s, int dimension, struct text value)
{
    uint64_t words[2], hash;
    if (value.len - 4 <= 12) {
        words_of(value, words);
        hash = (words[0] ^ (uint64_t)dimension << 56 ^ value.len) * UINT64_C(0x9e3779b97f4a7c15);
        hash = ((hash ^ hash >> 32) + words[1]) * UINT64_C(0xc2b2ae3d27d4eb4f);
        hash ^= hash >> 32;
    } else {
        hash = XXH3_64bits_withSeed(value.at, value.len, (uint64_t)dimension);
    }
    return (uint32_t)hash & (s->index_room - 1);
}

static struct text bytes_of(const struct scopes *s, const struct value *value)
{
    return (struct text){s->bytes + value->at, value->len};
}

static bool grow(struct scopes *s)
{
    uint32_t room = s->value_room * 2, index_room = s->index_room * 2;
    struct value *values = realloc(s->values, room * sizeof *values);
    if (values)
        s->values = values;
    uint32_t *index = calloc(index_room, sizeof *index);
    if (!values || !index) {
        free(index);
        return false;
    }
    free(s->index);
    s->index = index;
    s->index_room = index_room;
    s->value_room = room;
    for (uint32_t v = 1; v < s->value_count; v++) {
        uint32_t i = home(s, s->values[v].dimension, bytes_of(s, &s->values[v]));
        while (s->index[i])
            i = (i + 1) & (index_room - 1);
        s->index[i] = v;
    }
    return true;
}

static bool keep_bytes(struct scopes *s, struct text value)
{
    if (s->byte_count + value.len > s->byte_room) {
        char *bytes = realloc(s->bytes, s->byte_room * 2);
        if (!bytes)
            return false;
        s->bytes = bytes;
        s->byte_room *= 2;
    }
    memcpy(s->bytes + s->byte_count, value.at, value.len);
    s->byte_count += value.len;
    return true;
}

static uint32_t add_value(struct scopes *s, int dimension, struct text value)
{
    size_t at = s->byte_count;
    if ((s->value_count == s->value_room && !grow(s)) || !keep_bytes(s, value)) {
        s->failed = true;
        return SCOPE_ALL;
    }
    s->values[s->value_count] = (struct value){dimension, (uint32_t)at, (uint32_t)value.len};
    return s->value_count++;
}

static uint32_t find_new(struct scopes *s, int dimension, struct text value)
{
    uint32_t added = add_value(s, dimension, value);
    uint32_t i = home(s, dimension, value); /* growing may have moved it */
    while (s->index[i])
        i = (i + 1) & (s->index_room - 1);
    s->index[i] = added;
    return added;
}

static inline uint32_t find(struct scopes *s, int dimension, struct text value)
{
    if (value.len >= 2 && value.at[0] == '_' && value.at[1] == '_')
        value = text_of(SCOPE_OTHER);
    uint32_t i = home(s, dimension, value);
    for (; s->index[i]; i = (i + 1) & (s->index_room - 1)) {
        const struct value *known = &s->values[s->index[i]];
        if (known->dimension == dimension && text_equal(bytes_of(s, known), value))
            return s->index[i];
    }
    return find_new(s, dimension, value);
}

static struct text value_of(const struct dimension *d, const struct event *event)
{
    switch (d->source) {
    case FROM_REGION:
        return event->region;
    case FROM_CHANNEL:
        return event->channel;
    case FROM_REP:
        return event->rep;
    case FROM_LABEL:
        for (size_t i = 0; i < event->label_count; i++)
            if (text_is(event->labels[i].name, d->label))
                return event->labels[i].value;
        break;
    case FROM_LINE:
        break;
    }
    return (struct text){0};
}

int scopes_of(struct scopes *scopes, const struct event *event, uint32_t *out)
{
    int count = 0;
    out[count++] = SCOPE_ALL;
    for (int i = 0; i < scopes->dimension_count; i++) {
        struct text value = value_of(&scopes->dimensions[i], event);
        if (value.at)
            out[count++] = find(scopes, i, value);
    }
    return count;
}

uint32_t scopes_line(struct scopes *scopes, struct text line)
{
    return scopes->line < 0 || !line.at ? SCOPE_ALL : find(scopes, scopes->line, line);
}

const char *scope_dimension(const struct scopes *scopes, uint32_t scope)
{
    return scope == SCOPE_ALL ? "" : scopes->dimensions[scopes->values[scope].dimension].name;
}

struct text scope_value(const struct scopes *scopes, uint32_t scope)
{
    return scope == SCOPE_ALL ? text_of("") : bytes_of(scopes, &scopes->values[scope]);
}

uint32_t scopes_count(const struct scopes *scopes)
{
    return scopes->value_count;
}

void scopes_reset(struct scopes *scopes)
{
    memset(scopes->index, 0, scopes->index_room * sizeof *scopes->index);
    scopes->value_count = 1;
    scopes->byte_count = 0;
    scopes->failed = false;
}

bool scopes_failed(const struct scopes *scopes)
{
    return scopes->failed;
}
