/* The kinds that sum one side's events: sales and service. */
#include "consumers/worker/kind.h"

#include "consumers/worker/flush.h"

#include <stdio.h>
#include <stdlib.h>

/* Names kept for scopes before they are forgotten together. */
#define SCOPES_MAX 500000

struct sums {
    const struct kind_lane *lane;
    struct scopes *scopes;
    struct tally *tally;
    struct fold fold;
};

const char *kind_word(enum side side)
{
    return side == SIDE_SALE ? sales_kind.name : service_kind.name;
}

const char *kind_topic(const struct config *config, enum side side)
{
    return side == SIDE_SALE ? config->topics_sales : config->topics_service;
}

void kind_prefix(const struct kind *kind, const struct config *config, const char *generation,
                 int shard, char *out, size_t room)
{
    if (kind->sharded)
        snprintf(out, room, "tandem:{%s.%d}:%s", config->business, shard, generation);
    else
        snprintf(out, room, "tandem:{%s}:%s", config->business, generation);
}

static void sums_free(void *own)
{
    struct sums *sums = own;
    if (!sums)
        return;
    tally_free(sums->tally);
    scopes_free(sums->scopes);
    free(sums);
}

static int sums_open(void **own, const struct kind_lane *lane, const struct fold_kind *kind,
                     struct error *err)
{
    struct sums *sums = calloc(1, sizeof *sums);
    *own = NULL;
    if (!sums)
        return error_memory(err);
    sums->lane = lane;
    if (scopes_open(&sums->scopes, lane->config->scopes, err) != 0 ||
        tally_open(&sums->tally, &kind->layout, err) != 0) {
        sums_free(sums);
        return -1;
    }
    sums->fold = (struct fold){kind, sums->tally, sums->scopes, lane->zone, STORE_NO_FLOOR, 0};
    *own = sums;
    return 0;
}

static int sales_open(void **own, const struct kind_lane *lane, struct error *err)
{
    return sums_open(own, lane, &sales_kind, err);
}

static int service_open(void **own, const struct kind_lane *lane, struct error *err)
{
    return sums_open(own, lane, &service_kind, err);
}

static enum store_answer sums_place(void *own, const struct store_state *state, struct error *err)
{
    struct sums *sums = own;
    (void)err;
    sums->fold.floor = state->floor;
    return STORE_DONE;
}

static enum judged sums_take(void *own, int topic, struct seen *seen, const struct record *record,
                             struct rejection *why)
{
    struct sums *sums = own;
    struct judge judge = {sums->lane->decoder, &sums->fold, sums->lane->partitions};
    (void)topic;
    sums->fold.hours_from_s = sums->lane->now_s;
    return judge_record(&judge, seen, record, why);
}

static bool sums_full(const void *own)
{
    const struct sums *sums = own;
    return tally_cells(sums->tally) >= (size_t)sums->lane->config->flush_cells ||
           tally_full(sums->tally);
}

static bool sums_empty(const void *own)
{
    return tally_empty(((const struct sums *)own)->tally);
}

static void sums_drop(void *own)
{
    tally_reset(((struct sums *)own)->tally);
}

static enum store_answer sums_fill(void *own, struct batch *batch, struct error *err)
{
    struct sums *sums = own;
    if (tally_failed(sums->tally) || scopes_failed(sums->scopes)) {
        error_memory(err);
        return STORE_BROKEN;
    }
    flush_tally(&sums->fold, sums->lane->prefix, sums->lane->now_s, batch);
    tally_reset(sums->tally);
    if (scopes_count(sums->scopes) > SCOPES_MAX)
        scopes_reset(sums->scopes);
    return STORE_DONE;
}

#define SUMS(side, opening)                                                                        \
    .topic_count = 1, .sides = {side}, .letters = true, .open = opening, .free = sums_free,        \
    .place = sums_place, .take = sums_take, .full = sums_full, .empty = sums_empty,                \
    .drop = sums_drop, .fill = sums_fill

const struct kind sales_worker_kind = {.name = "sales", SUMS(SIDE_SALE, sales_open)};
const struct kind service_worker_kind = {.name = "service", SUMS(SIDE_SERVICE, service_open)};
