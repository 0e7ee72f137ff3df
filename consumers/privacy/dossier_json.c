#include "consumers/privacy/dossier_print.h"

#include <inttypes.h>
#include <jansson.h>

static json_t *time_of(const struct zone *zone, int64_t time_s)
{
    char out[32];
    return json_string(dossier_time(zone, time_s, out));
}

static json_t *list_of(const struct dossier_page *page, uint32_t list)
{
    size_t count;
    const uint32_t *ids = lists_ids(page->lists, list, &count);
    json_t *names = json_array();
    for (size_t i = 0; i < count; i++) {
        struct text name = dictionary_name(page->names, ids[i]);
        json_array_append_new(names, json_stringn(name.at, name.len));
    }
    return names;
}

static json_t *sale_of(const struct dossier_page *page, const struct sale *sale,
                       const struct zone *zone)
{
    return json_pack("{s:o, s:o}", "time", time_of(zone, sale->time_s), "scopes",
                     list_of(page, sale->list));
}

static json_t *sales_of(const struct dossier_page *page, const struct zone *zone)
{
    json_t *sales = json_array();
    for (size_t i = 0; i < page->customer.sale_count; i++)
        json_array_append_new(sales, sale_of(page, &page->customer.sales[i], zone));
    return sales;
}

static json_t *ratings_of(const struct dossier_page *page, const struct zone *zone)
{
    json_t *ratings = json_array();
    for (size_t i = 0; i < page->customer.rating_count; i++) {
        const struct rating *rating = &page->customer.ratings[i];
        json_array_append_new(
            ratings, json_pack("{s:o, s:s, s:i, s:o}", "time", time_of(zone, rating->time_s),
                               "scale", event_scale_words[rating->scale], "score",
                               (int)rating->score, "scopes", list_of(page, rating->list)));
    }
    return ratings;
}

static json_t *runs_of(const struct runs *runs, const struct zone *zone)
{
    json_t *all = json_array();
    for (size_t i = 0; i < runs->count; i++)
        json_array_append_new(all,
                              json_pack("{s:o, s:o}", "first", time_of(zone, runs->at[i].first_s),
                                        "last", time_of(zone, runs->at[i].last_s)));
    return all;
}

static json_t *months_of(const struct customer *customer)
{
    char name[11];
    json_t *months = json_array();
    for (int month = 0; month < CUSTOMER_MONTHS; month++)
        if (customer_has_month(customer, month))
            json_array_append_new(months, json_string(dossier_month(month, name)));
    return months;
}

static json_t *referral_of(const struct customer *customer, const struct zone *zone)
{
    if (!customer->referral)
        return json_null();
    return json_pack("{s:o, s:s}", "time", time_of(zone, customer->referral_s), "side",
                     side_name(customer->referral == REFERRAL_BY_SALE ? SIDE_SALE : SIDE_SERVICE));
}

static json_t *state_of(const struct dossier_page *page, const struct zone *zone)
{
    const struct customer *c = &page->customer;
    if (!page->known)
        return json_null();
    return json_pack("{s:i, s:o, s:o, s:o, s:b, s:o, s:o, s:i, s:o, s:o}", "bytes",
                     (int)page->bytes, "first_purchase",
                     c->has_sale ? sale_of(page, &c->first, zone) : json_null(), "months",
                     months_of(c), "referral", referral_of(c, zone), "overflowed", c->overflowed,
                     "purchases", sales_of(page, zone), "ratings", ratings_of(page, zone),
                     "ratings_replaced", (int)c->replaced, "contacts", runs_of(&c->contacts, zone),
                     "interactions", runs_of(&c->interactions, zone));
}

static json_t *forgotten_of(const struct dossier_page *page)
{
    if (!page->forgotten)
        return json_null();
    return json_pack("{s:I, s:I}", "sale_offset", (json_int_t)page->from[SIDE_SALE],
                     "service_offset", (json_int_t)page->from[SIDE_SERVICE]);
}

static json_t *pages_of(const struct dossier *dossier, const struct zone *zone)
{
    json_t *pages = json_array();
    for (size_t i = 0; i < dossier->page_count; i++) {
        const struct dossier_page *page = &dossier->pages[i];
        if (page->known || page->forgotten)
            json_array_append_new(pages,
                                  json_pack("{s:i, s:i, s:o, s:o}", "partition",
                                            (int)page->partition, "shard", page->shard, "forgotten",
                                            forgotten_of(page), "state", state_of(page, zone)));
    }
    return pages;
}

int dossier_json(const struct dossier *dossier, const struct zone *zone, FILE *out,
                 struct error *err)
{
    json_t *all = json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:o}", "customer", dossier->id,
                            "business", dossier->business, "timezone", zone_name(zone), "partition",
                            (int)dossier->home, "partitions", (int)dossier->partitions, "shards",
                            dossier->shards, "known", pages_of(dossier, zone));
    int rc = all && json_dumpf(all, out, JSON_INDENT(2)) == 0 && fputc('\n', out) != EOF ? 0 : -1;
    json_decref(all);
    return rc == 0 ? 0 : error_set(err, ERROR_SYSTEM, "cannot write the document");
}
