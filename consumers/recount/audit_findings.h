/* audit_findings.h - what an audit has compared so far, and what differs. Pure. */
#ifndef TANDEM_AUDIT_FINDINGS_H
#define TANDEM_AUDIT_FINDINGS_H

#include "common/error.h"
#include "common/text.h"

#include <hiredis/hiredis.h>
#include <stdint.h>
#include <stdio.h>

struct difference {
    char *key, *field, *expected, *found;
};

/* Begin with {.most = n}. */
struct findings {
    int64_t counters, keys, customers, differences;
    size_t most; /* differences that are kept */
    struct difference *list;
    size_t count, room;
};

void findings_clear(struct findings *findings); /* what it holds, but `most` */
/* One line a difference; bytes that cannot be printed as \xNN. */
void findings_print(const struct findings *findings, FILE *out);

/* Takes down one difference. Texts are copied. -1 when memory is short. */
int findings_add(struct findings *findings, const char *key, struct text field,
                 const char *expected, struct text found, struct error *err);

/* A field of a hash of counters, as the log says it. */
struct finding_field {
    char name[48]; /* as long as any of ours */
    int64_t sum;
};

/* Holds the hash of a key, as HGETALL answers (or a string: why it is none), against the fields of
 * the log; absent and 0 are equal. Sorts both. -1 when memory is short. */
int findings_hash(struct findings *findings, const char *key, struct finding_field *fields,
                  size_t count, const redisReply *value, struct error *err);

#endif
