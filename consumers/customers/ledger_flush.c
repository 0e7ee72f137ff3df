#include "common/calendar.h"
#include "common/scope.h"
#include "consumers/customers/ledger.h"

#include <stdio.h>

static struct text scope_name(const struct dictionary *names, const struct tally_view *row)
{
    if (row->scope != SCOPE_ALL)
        return dictionary_name(names, row->scope);
    return text_of(row->time == TALLY_UNDATED ? "" : "all");
}

static void add_group(const struct dictionary *names, const struct tally_view *row,
                      const char *prefix, struct batch *batch)
{
    char head[128], dirty[32] = "", date[11];
    if (row->time == TALLY_DAY) {
        calendar_format_date(row->slot, date);
        snprintf(head, sizeof head, "%scustomer:day:%s:", prefix, date);
        snprintf(dirty, sizeof dirty, "customer:%s:", date);
    } else {
        snprintf(head, sizeof head, "%scustomer:undated", prefix);
    }
    batch_add_group(batch, (struct batch_group){.head = text_of(head),
                                                .dimension = text_of(""),
                                                .value = scope_name(names, row),
                                                .dirty = text_of(dirty)});
}

static void add_row(const struct dictionary *names, const struct tally_view *row,
                    const char *prefix, struct batch *batch)
{
    bool begun = false;
    for (int i = 0; i < row->width; i++) {
        if (row->sums[i] == 0)
            continue;
        if (!begun)
            add_group(names, row, prefix, batch);
        begun = true;
        batch_add_cell(batch, text_of(contribution_layout.fields[i]), row->sums[i]);
    }
}

void ledger_flush(const struct dictionary *names, const struct tally *tally, const char *prefix,
                  int32_t floor, struct batch *batch)
{
    for (size_t r = 0; r < tally_rows(tally); r++) {
        struct tally_view row = tally_view(tally, r);
        if (row.time == TALLY_UNDATED || row.slot >= floor)
            add_row(names, &row, prefix, batch);
    }
}
