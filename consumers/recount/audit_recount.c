#include "consumers/recount/audit_recount.h"

#include "common/seen.h"
#include "consumers/recount/audit_log.h"
#include "consumers/worker/judge.h"

#include <inttypes.h>
#include <stdlib.h>

enum { TICK_RECORDS = 4096 };

struct recount {
    struct audit_log *log;
    struct decoder *decoder;
    struct scopes *scopes;
    struct fold fold;
    struct judge judge;
    struct seen **seen; /* by partition */
    int64_t *begins, *walked, *at;
    int32_t partitions;
    struct rows rows;
    /* of the walk under way */
    const struct floors *floors;
    recount_tick *tick;
    void *context;
    int records;
};

static int open_parts(struct recount *r, const struct config *config,
                      const struct store_state *state, struct error *err)
{
    size_t count = (size_t)r->partitions;
    r->seen = calloc(count, sizeof(struct seen *));
    r->begins = calloc(count, sizeof *r->begins);
    r->walked = calloc(count, sizeof *r->walked);
    r->at = calloc(count, sizeof *r->at);
    if (!r->seen || !r->begins || !r->walked || !r->at)
        return error_memory(err);
    for (size_t i = 0; i < state->position_count; i++) {
        const struct store_position *p = &state->positions[i];
        r->begins[p->partition] = r->walked[p->partition] = r->at[p->partition] = p->begin;
        if (seen_open(&r->seen[p->partition], config->dedup_window, p->begin, err) != 0)
            return -1;
    }
    return 0;
}

int recount_open(struct recount **out, const struct config *config, const struct fold_kind *kind,
                 const struct zone *zone, const struct store_state *state, int64_t now_s,
                 struct error *err)
{
    struct recount *r = calloc(1, sizeof *r);
    *out = NULL;
    if (!r)
        return error_memory(err);
    r->partitions = state->topics[0].partitions;
    r->fold =
        (struct fold){.kind = kind, .zone = zone, .floor = STORE_NO_FLOOR, .hours_from_s = now_s};
    if (tally_open(&r->fold.tally, &kind->layout, err) != 0 ||
        scopes_open(&r->scopes, config->scopes, err) != 0 ||
        decoder_open(&r->decoder, config->type_prefix, err) != 0 ||
        open_parts(r, config, state, err) != 0 ||
        audit_log_open(&r->log, config, state, 0, err) != 0) {
        recount_free(r);
        return -1;
    }
    r->fold.scopes = r->scopes;
    r->judge = (struct judge){r->decoder, &r->fold, r->partitions};
    *out = r;
    return 0;
}

void recount_free(struct recount *recount)
{
    if (!recount)
        return;
    audit_log_free(recount->log);
    for (int32_t p = 0; recount->seen && p < recount->partitions; p++)
        seen_free(recount->seen[p]);
    free(recount->seen);
    free(recount->begins);
    free(recount->walked);
    free(recount->at);
    rows_clear(&recount->rows);
    decoder_free(recount->decoder);
    scopes_free(recount->scopes);
    tally_free(recount->fold.tally);
    free(recount);
}

const struct fold *recount_fold(const struct recount *recount)
{
    return &recount->fold;
}

const struct rows *recount_rows(const struct recount *recount)
{
    return &recount->rows;
}

/* ---- walking ---- */

static void tick(struct recount *r)
{
    int64_t offsets = 0;
    if (!r->tick)
        return;
    for (int32_t p = 0; p < r->partitions; p++)
        offsets += r->at[p] - r->begins[p];
    r->tick(r->context, offsets);
}

static int take_record(void *context, const struct record *record, struct error *err)
{
    struct recount *r = context;
    struct seen *seen = r->seen[record->partition];
    struct rejection why;
    r->fold.floor = floors_at(r->floors, record->partition, record->offset);
    /* All before it is decided: the window ends here. */
    seen_commit(seen, record->offset);
    judge_record(&r->judge, seen, record, &why);
    r->at[record->partition] = record->offset + 1;
    if (++r->records % TICK_RECORDS == 0)
        tick(r);
    if (tally_failed(r->fold.tally) || scopes_failed(r->scopes))
        return error_memory(err);
    if (tally_full(r->fold.tally))
        return error_set(err, ERROR_LOG, "a sum leaves 62 bits: it cannot be recounted");
    return 0;
}

int recount_walk(struct recount *recount, const int64_t *positions, const struct floors *floors,
                 recount_tick *told, void *context, struct error *err)
{
    recount->floors = floors;
    recount->tick = told;
    recount->context = context;
    if (audit_log_walk(recount->log, positions, take_record, recount, err) != 0)
        return -1;
    for (int32_t p = 0; p < recount->partitions; p++)
        recount->walked[p] = recount->at[p] = positions[p];
    tick(recount);
    return rows_link(&recount->rows, recount->fold.tally, err);
}

bool recount_passed(const struct recount *recount, const int64_t *positions)
{
    for (int32_t p = 0; p < recount->partitions; p++)
        if (positions[p] < recount->walked[p])
            return true;
    return false;
}
