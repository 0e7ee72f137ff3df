#include "producers/import/draft.h"

#include "common/currency.h"

/* The exponent comes with the currency, which stands before the amounts in the table. */
static bool fill(struct extract *x, struct arena *arena, const struct field *field,
                 const struct source *source, void *base)
{
    struct value value;
    if (source->kind == SOURCE_NONE) {
        return true;
    }
    switch (extract_value(x, arena, source, field, &value)) {
    case EXTRACT_FAILED:
        return false;
    case EXTRACT_NONE:
        if (field->required) {
            extract_fail(x, &source->template, "is empty");
        }
        return !field->required;
    default:
        break;
    }
    field_store(field, base, value);
    if (field->kind == FIELD_CURRENCY) {
        x->exponent = currency_exponent((int)value.number);
    }
    return true;
}

static bool fill_labels(struct extract *x, struct arena *arena, const struct spec *spec,
                        struct event *event)
{
    static const struct field label = {"label",       FIELD_SLUG, false, false, 0,
                                       FIELD_NO_FLAG, NULL,       0,     0};
    struct value value;
    for (size_t i = 0; i < spec->label_count; i++) {
        switch (extract_value(x, arena, &spec->labels[i].source, &label, &value)) {
        case EXTRACT_FAILED:
            return false;
        case EXTRACT_FOUND:
            event->labels[event->label_count++] =
                (struct event_label){spec->labels[i].name, value.text};
            break;
        default:
            break;
        }
    }
    return true;
}

static bool fill_time(struct extract *x, const struct spec *spec, struct event *event)
{
    switch (extract_time(x, &spec->time, &event->time_ms)) {
    case EXTRACT_FOUND:
        return true;
    case EXTRACT_NONE:
        extract_fail(x, &spec->time.template, "is empty");
        return false;
    default:
        return false;
    }
}

bool draft_event(struct extract *x, struct arena *arena, const struct spec *spec,
                 struct event *event)
{
    memset(event, 0, sizeof *event);
    event->type = spec->type;
    event->source = x->mapping->source;
    if (extract_id(x, arena, &spec->id, &event->id) != EXTRACT_FOUND ||
        !fill_time(x, spec, event)) {
        return false;
    }
    const struct field *fields = field_list(spec->type);
    for (size_t i = 0; fields[i].name; i++) {
        if (!fill(x, arena, &fields[i], &spec->fields[i], event)) {
            return false;
        }
    }
    if (!fill_labels(x, arena, spec, event)) {
        return false;
    }
    event->subject = event->ref;
    event->partitionkey = event_key(event);
    return true;
}

bool draft_item(struct extract *x, struct arena *arena, const struct spec *spec,
                struct event_item *item)
{
    memset(item, 0, sizeof *item);
    const struct field *fields = field_item_list();
    for (size_t i = 0; fields[i].name; i++) {
        if (!fill(x, arena, &fields[i], &spec->items[i], item)) {
            return false;
        }
    }
    return true;
}

void draft_items(struct event *event, const struct event_item *items, size_t count)
{
    struct event_sale *sale = &event->sale;
    sale->items = items;
    sale->item_count = count;
    sale->net = sale->cost = 0;
    sale->has_cost = count > 0;
    for (size_t i = 0; i < count; i++) {
        sale->net += items[i].net;
        sale->cost += items[i].cost;
        sale->has_cost = sale->has_cost && items[i].has_cost;
    }
}
