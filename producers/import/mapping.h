/* mapping.h - how one kind of CSV file becomes events: the mapping file, checked.
 *
 * docs/import.md documents the file for users, schemas/mapping.json is its schema. Everything
 * hangs on the mapping's arena; texts and columns in it live as long as it does. A column is a
 * number: its place in mapping->columns, which the importer finds in the CSV's header once. */
#ifndef TANDEM_MAPPING_H
#define TANDEM_MAPPING_H

#include "common/event.h"
#include "producers/import/arena.h"
#include "producers/import/field.h"
#include "producers/import/mistakes.h"
#include "producers/import/pattern.h"

#define MAPPING_NO_COLUMN   (-1)
#define MAPPING_IGNORE_MAX  8
#define MAPPING_ITEM_FIELDS 5

/* "ticket:{ticket_id}:resolved" */
struct template
{
    struct template_piece {
        struct text literal; /* when column is MAPPING_NO_COLUMN */
        int column;
    } * pieces;
    size_t count;
};

enum source_kind {
    SOURCE_NONE, /* the mapping does not give this field */
    SOURCE_CONSTANT,
    SOURCE_TEMPLATE, /* also a plain column: one piece */
    SOURCE_BETWEEN   /* seconds from one time to another */
};

struct choice {
    struct text from;
    struct value to;
};

struct instant;

/* Where the value of one field comes from. */
struct source {
    enum source_kind kind;
    struct value constant;
    struct template template;
    const struct choice *choices; /* NULL: the text itself is the value */
    size_t choice_count;
    bool has_otherwise, has_fallback;
    struct value otherwise, fallback; /* for a text not among the choices, for an empty one */
    bool slug, negate, minor;
    int minus;                       /* column of an amount to take away */
    int64_t unit_s;                  /* seconds in one unit of a duration */
    const struct pattern *pattern;   /* of a date */
    struct text format;              /* the pattern as written, for messages */
    const struct instant *from, *to; /* of SOURCE_BETWEEN */
};

/* Where a time comes from: a written time, at a fixed hour if it is only a date, and later by a
 * duration. */
struct instant {
    struct template template;
    struct pattern pattern;
    struct text format;
    int64_t at_s;              /* seconds after midnight; 0 when the format has an hour */
    const struct source *plus; /* NULL: none */
};

enum condition_kind { CONDITION_IN, CONDITION_NOT_IN, CONDITION_EMPTY, CONDITION_NOT_EMPTY };

struct condition {
    enum condition_kind kind;
    int column;
    const struct text *texts;
    size_t count;
};

struct conditions {
    const struct condition *list;
    size_t count;
};

/* One kind of event that the rows give. */
struct spec {
    enum event_type type;
    struct text id_text; /* the template as written */
    struct template id;
    struct instant time;
    struct conditions when; /* all must hold */
    const int *group_by;    /* columns; NULL: each row is an event */
    size_t group_count;
    struct source fields[FIELD_LIST_MAX]; /* in the order of field_list(type) */
    struct spec_label {
        struct text name;
        struct source source;
    } labels[EVENT_LABELS_MAX];
    size_t label_count;
    bool has_items;
    struct source items[MAPPING_ITEM_FIELDS]; /* in the order of field_item_list() */
};

struct mapping {
    struct arena *arena;
    struct text source;
    struct text zone; /* ends with a zero byte */
    char delimiter;
    struct numbers {
        char decimal, grouping; /* grouping 0: none */
        struct text ignore[MAPPING_IGNORE_MAX];
        size_t ignore_count;
    } numbers;
    struct conditions skip; /* any is enough */
    struct spec *specs;
    size_t spec_count;
    struct text *columns; /* each column that is used, once */
    size_t column_count;
};

/* Reads and checks the mapping file at `path`. 0, caller owns *out until mapping_free(). -1: err
 * says what failed; when the file was read but is wrong (ERROR_INPUT), every mistake with its path
 * ("events[0].net.column: ...") is in `mistakes`. */
int mapping_read(struct mapping **out, const char *path, struct mistakes *mistakes,
                 struct error *err);
/* The same from `len` bytes of JSON. */
int mapping_parse(struct mapping **out, const char *json, size_t len, struct mistakes *mistakes,
                  struct error *err);
void mapping_free(struct mapping *mapping);

#endif
