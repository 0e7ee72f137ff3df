#include "consumers/worker/flush.h"

#include "common/calendar.h"
#include "common/currency.h"

#include <stdio.h>

/* "tandem:{main}:sale:day:2026-11-23:", "...:hour:2026-11-23T14:", "...:sale:undated". */
static void write_head(const struct fold *fold, const char *prefix,
                       const struct tally_view *row, char *out, size_t room)
{
    char date[11];
    const char *side = side_name(fold->kind->side);
    switch (row->time) {
    case TALLY_DAY:
        snprintf(out, room, "%s%s:day:%s:", prefix, side,
                 calendar_format_date(row->slot, date));
        break;
    case TALLY_HOUR:
        snprintf(out, room, "%s%s:hour:%sT%02d:", prefix, side,
                 calendar_format_date(row->slot / 24, date), row->slot % 24);
        break;
    case TALLY_UNDATED:
        snprintf(out, room, "%s%s:undated", prefix, side);
    }
}

/* Only days are published: a marked day tells the reporter. */
static void write_dirty(const struct fold *fold, const struct tally_view *row, char *out,
                        size_t room)
{
    char date[11];
    out[0] = 0;
    if (row->time == TALLY_DAY)
        snprintf(out, room, "%s:%s:", side_name(fold->kind->side),
                 calendar_format_date(row->slot, date));
}

static void add_group(const struct fold *fold, const char *prefix, const struct tally_view *row,
                      int64_t expire_s, struct batch *batch)
{
    char head[96], dirty[32];
    bool scoped = row->scope != SCOPE_ALL;
    write_head(fold, prefix, row, head, sizeof head);
    write_dirty(fold, row, dirty, sizeof dirty);
    batch_add_group(batch, (struct batch_group){
        .head = text_of(head),
        .dimension = text_of(scope_dimension(fold->scopes, row->scope)),
        .value = scoped ? scope_value(fold->scopes, row->scope)
                        : text_of(row->time == TALLY_UNDATED ? "" : "all"),
        .dirty = text_of(dirty),
        .expire_s = expire_s,
    });
}

static void add_row(const struct fold *fold, const char *prefix, const struct tally_view *row,
                    int64_t expire_s, struct batch *batch)
{
    bool begun = false;
    for (int i = 0; i < row->width; i++) {
        char name[48];
        if (row->sums[i] == 0)
            continue;
        if (!begun)
            add_group(fold, prefix, row, expire_s, batch);
        begun = true;
        size_t len = tally_name(&fold->kind->layout, row->block, i, name, sizeof name);
        batch_add_cell(batch, (struct text){name, len}, row->sums[i]);
    }
    /* Even when all amounts were 0: the currency was counted. */
    if (row->block >= TALLY_CURRENCY && row->block < TALLY_HISTOGRAM)
        batch_add_currency(batch, currency_code(row->block - TALLY_CURRENCY));
}

void flush_tally(const struct fold *fold, const char *prefix, int64_t now_s,
                 struct batch *batch)
{
    for (size_t r = 0; r < tally_rows(fold->tally); r++) {
        struct tally_view row = tally_view(fold->tally, r);
        int64_t expire_s = row.time == TALLY_HOUR ? fold_hour_expiry(fold->zone, row.slot) : 0;
        if (expire_s && expire_s <= now_s)
            continue;
        add_row(fold, prefix, &row, expire_s, batch);
    }
}
