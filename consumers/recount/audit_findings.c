#include "consumers/recount/audit_findings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void findings_clear(struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->list[i].key);
        free(findings->list[i].field);
        free(findings->list[i].expected);
        free(findings->list[i].found);
    }
    free(findings->list);
    *findings = (struct findings){.most = findings->most};
}

static char *copy(struct text text)
{
    return strndup(text.at ? text.at : "", text.len);
}

int findings_add(struct findings *findings, const char *key, struct text field,
                 const char *expected, struct text found, struct error *err)
{
    struct findings *f = findings;
    f->differences++;
    if (f->count == f->most)
        return 0;
    if (f->count == f->room) {
        size_t room = f->room ? 2 * f->room : 16;
        struct difference *list = realloc(f->list, room * sizeof *list);
        if (!list)
            return error_memory(err);
        f->list = list;
        f->room = room;
    }
    struct difference *d = &f->list[f->count++];
    *d = (struct difference){strdup(key), copy(field), strdup(expected), copy(found)};
    return d->key && d->field && d->expected && d->found ? 0 : error_memory(err);
}

static void print_plain(const char *text, FILE *out)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\x%02x", c);
        else
            fputc(c, out);
    }
}

void findings_print(const struct findings *findings, FILE *out)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct difference *d = &findings->list[i];
        print_plain(d->key, out);
        fputc(' ', out);
        print_plain(d->field, out);
        fputs(": the log says ", out);
        print_plain(d->expected, out);
        fputs(", Redis has ", out);
        print_plain(d->found, out);
        fputc('\n', out);
    }
}

/* ---- a hash ---- */

static int compare_fields(const void *a, const void *b)
{
    return strcmp(((const struct finding_field *)a)->name, ((const struct finding_field *)b)->name);
}

static int compare_pairs(const void *a, const void *b)
{
    const redisReply *left = *(redisReply *const *)a, *right = *(redisReply *const *)b;
    return strcmp(left->str, right->str);
}

/* "12", "-3": as Redis writes integers. */
static bool is_number(const redisReply *value, int64_t *out)
{
    char written[24];
    *out = strtoll(value->str, NULL, 10);
    snprintf(written, sizeof written, "%" PRId64, *out);
    return strlen(written) == value->len && strcmp(written, value->str) == 0;
}

/* One field: what the log says (NULL: nothing) and what Redis has (NULL: nothing). */
static int hold(struct findings *f, const char *key, const struct finding_field *log,
                const redisReply *name, const redisReply *value, struct error *err)
{
    char expected[24];
    int64_t number = 0, sum = log ? log->sum : 0;
    bool equal = (!value || is_number(value, &number)) && number == sum;
    if (sum != 0 || number != 0 || !equal)
        f->counters++;
    if (equal)
        return 0;
    snprintf(expected, sizeof expected, "%" PRId64, sum);
    struct text field = name ? (struct text){name->str, name->len} : text_of(log->name);
    struct text found = value ? (struct text){value->str, value->len} : text_of("nothing");
    return findings_add(f, key, field, expected, found, err);
}

/* Both sides sorted by name, side by side. */
static int merge(struct findings *findings, const char *key, const struct finding_field *fields,
                 size_t field_count, redisReply *const *pairs, size_t pair_count, struct error *err)
{
    size_t f = 0, p = 0;
    int rc = 0;
    while (rc == 0 && (f < field_count || p < pair_count)) {
        int order = f == field_count  ? 1
                    : p == pair_count ? -1
                                      : strcmp(fields[f].name, pairs[2 * p]->str);
        const struct finding_field *log = order <= 0 ? &fields[f++] : NULL;
        redisReply *const *pair = order >= 0 ? &pairs[2 * p++] : NULL;
        rc = hold(findings, key, log, pair ? pair[0] : NULL, pair ? pair[1] : NULL, err);
    }
    return rc;
}

int findings_hash(struct findings *findings, const char *key, struct finding_field *fields,
                  size_t count, const redisReply *value, struct error *err)
{
    findings->keys++;
    if (value->type != REDIS_REPLY_ARRAY)
        return findings_add(findings, key, text_of("(type)"), "hash",
                            text_of(value->str ? value->str : "another type"), err);
    if (count)
        qsort(fields, count, sizeof *fields, compare_fields);
    if (value->elements)
        qsort(value->element, value->elements / 2, 2 * sizeof(redisReply *), compare_pairs);
    return merge(findings, key, fields, count, value->element, value->elements / 2, err);
}
