/* rejected_verbs.h - what `tandem rejected` can do: list, show, resend. Only for rejected*.c. */
#ifndef TANDEM_REJECTED_VERBS_H
#define TANDEM_REJECTED_VERBS_H

#include "common/config.h"
#include "common/error.h"
#include "producers/known.h"
#include "producers/rejected/letters.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum rejected_format { REJECTED_TABLE, REJECTED_JSON, REJECTED_NDJSON };

struct rejected_words {
    const char *reason, *since, *format;
    int64_t limit; /* -1: not given */
    bool open, values, raw, dry_run;
};

struct rejected {
    const struct config *config;
    const struct rejected_words *words;
    struct letters_filter filter;
    enum rejected_format format;
};

/* Each is given the words behind its name and returns the exit status. */
int rejected_list(const struct rejected *rejected, struct error *err);
int rejected_show(const struct rejected *rejected, const char *key, struct error *err);
int rejected_resend(const struct rejected *rejected, int argc, char **argv, struct error *err);

/* Reads both topics of events, for who asks what stands there: one set a side. The caller's, also
 * after a failure. 0 or -1. */
int rejected_read_known(const struct config *config, struct known *known[SIDES], struct error *err);

/* Writes foreign bytes so that no terminal takes them for a command: control characters but line
 * ends as \x1b. */
void rejected_print(struct text bytes, FILE *out);

#endif
