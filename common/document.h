/* document.h - JSON by RFC 8259, read once and strictly.
 *
 * One pass finds everything a record's JSON may be refused for - grammar, UTF-8, depth, repeated
 * member names - and leaves the values one behind another, each member name known by its place in
 * a list given once. A general parser and a second pass for the rest took twice the instructions
 * of everything else together (bench/parts). Pure; use a document from one thread. */
#ifndef TANDEM_DOCUMENT_H
#define TANDEM_DOCUMENT_H

#include "common/error.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOCUMENT_UNKNOWN 255 /* a member name that is not in the list */

enum document_type {
    DOCUMENT_NULL,
    DOCUMENT_FALSE,
    DOCUMENT_TRUE,
    DOCUMENT_INT,    /* a whole number of int64, written without `.` and exponent */
    DOCUMENT_NUMBER, /* any other number */
    DOCUMENT_STRING,
    DOCUMENT_ARRAY,
    DOCUMENT_OBJECT
};

/* The values of an array, and the names and values of an object in turn, follow their container. */
struct document_value {
    uint8_t type;  /* enum document_type */
    uint8_t name;  /* of a member's name: its place in the list, or DOCUMENT_UNKNOWN */
    bool plain;    /* a string of U+0020 to U+007E, written without escapes */
    uint32_t size; /* bytes of a string; all values inside a container, at any depth */
    union {
        const char *text; /* of a string, UTF-8 */
        int64_t integer;  /* a DOCUMENT_INT; of a container: its members or items */
    };
};

/* What a document was refused for, or may be. */
struct document_faults {
    const char *problem; /* not JSON: why; NULL: it is */
    size_t at;           /* at which byte */
    bool too_deep;       /* more containers inside each other than allowed */
    bool repeated;       /* two equal member names in one object */
    struct text repeated_name;
};

struct document;

/* Reads texts of up to `bytes_max` bytes, containers nested up to `depth_max` (at most 64). The `count` names
 * (1-64, of 1-24 bytes) must outlive it. 0, caller owns *out until document_free(). */
int document_open(struct document **out, const char *const *names, int count, size_t bytes_max,
                  int depth_max, struct error *err);
void document_free(struct document *document);

/* The outermost value, or NULL when it is no JSON. Values and their texts lie in the document until
 * it reads again. Of what is too deep, and of that alone, the values are not whole. */
const struct document_value *document_read(struct document *document, struct text json,
                                           struct document_faults *faults);

/* Puts the members of `object` whose names have the places first ... first + count - 1 into
 * `values`; NULL where absent. */
void document_members(const struct document_value *object, int first, int count,
                      const struct document_value **values);

/* The value behind this one, past everything in it. */
static inline const struct document_value *document_next(const struct document_value *value)
{
    return value + 1 + (value->type >= DOCUMENT_ARRAY ? value->size : 0);
}

static inline bool document_is(const struct document_value *value, enum document_type type)
{
    return value && value->type == type;
}

/* The text of a string; of anything else an absent one. */
static inline struct text document_text(const struct document_value *value)
{
    return document_is(value, DOCUMENT_STRING) ? (struct text){value->text, value->size}
                                               : (struct text){0};
}

/* How many bytes the character at `at` has; 0 when the `left` bytes there do not begin with one of
 * strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
size_t document_utf8(const char *at, size_t left);

#endif
