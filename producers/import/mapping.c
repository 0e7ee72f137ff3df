#include "producers/import/mapping.h"

#include "producers/import/slug.h"
#include "producers/import/source.h"

#include <errno.h>
#include <stdlib.h>

#define FILE_BYTES_MAX ((size_t)1024 * 1024)
#define SPECS_MAX      64
#define CONDITIONS_MAX 64

/* What `common` may give to all events. */
static const char *const common_members[] = {"customer", "region", "rep",
                                             "channel",  "labels", NULL};

static bool read_texts(struct reader *reader, const json_t *list, struct condition *out)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n == 0) {
        return reader_mistake(reader, "must be a list of texts");
    }
    struct text *texts = reader_take(reader, n * sizeof *texts);
    bool right = texts != NULL;
    for (size_t i = 0; texts && i < n; i++) {
        size_t before = reader_enter_element(reader, i);
        right = reader_string(reader, json_array_get(list, i), 0, &texts[i]) && right;
        reader_leave(reader, before);
    }
    out->texts = texts;
    out->count = n;
    return right;
}

static bool read_empty(struct reader *reader, const json_t *json, struct condition *out)
{
    out->kind = json_is_true(json) ? CONDITION_EMPTY : CONDITION_NOT_EMPTY;
    return json_is_boolean(json) || reader_mistake(reader, "must be true or false");
}

static bool read_test(struct reader *reader, const json_t *object, struct condition *out)
{
    static const char *const tests[] = {"in", "not_in", "empty"};
    const json_t *test = NULL;
    int found = 0, which = 0;
    for (int i = 0; i < 3; i++) {
        const json_t *json = json_object_get(object, tests[i]);
        if (json) {
            test = json;
            which = i;
            found++;
        }
    }
    if (found != 1) {
        return reader_mistake(reader, "needs one of \"in\", \"not_in\" and \"empty\"");
    }
    size_t before = reader_enter(reader, tests[which]);
    out->kind = which == 0 ? CONDITION_IN : CONDITION_NOT_IN;
    bool right = which == 2 ? read_empty(reader, test, out) : read_texts(reader, test, out);
    reader_leave(reader, before);
    return right;
}

/* {"column": "Status", "in": ["Resolved"]} */
static bool read_condition(struct reader *reader, const json_t *object, struct condition *out)
{
    static const char *const allowed[] = {"column", "in", "not_in", "empty", NULL};
    struct text column;
    bool right = reader_members(reader, object, allowed);
    if (!json_is_object(object)) {
        return false;
    }
    if (reader_text(reader, object, "column", 1, &column)) {
        out->column = reader_column(reader, column);
    } else {
        right = false;
    }
    return read_test(reader, object, out) && right;
}

static bool read_conditions(struct reader *reader, const json_t *list, struct conditions *out)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n > CONDITIONS_MAX) {
        return reader_mistake(reader, "must be a list of at most %d conditions", CONDITIONS_MAX);
    }
    struct condition *conditions = reader_take(reader, (n + 1) * sizeof *conditions);
    bool right = conditions != NULL;
    for (size_t i = 0; conditions && i < n; i++) {
        size_t before = reader_enter_element(reader, i);
        right = read_condition(reader, json_array_get(list, i), &conditions[i]) && right;
        reader_leave(reader, before);
    }
    *out = (struct conditions){conditions, n};
    return right;
}

static bool read_conditions_member(struct reader *reader, const json_t *object, const char *member,
                                   struct conditions *out)
{
    const json_t *list = json_object_get(object, member);
    size_t before = reader_enter(reader, member);
    bool right = !list || read_conditions(reader, list, out);
    reader_leave(reader, before);
    return right;
}

static bool read_label(struct reader *reader, const char *name, const json_t *json,
                       struct spec_label *out)
{
    static const struct field label = {"label",       FIELD_SLUG, false, false, 0,
                                       FIELD_NO_FLAG, NULL,       0,     0};
    size_t before = reader_enter(reader, name);
    out->name = arena_copy(reader->mapping->arena, text_of(name));
    bool right = slug_valid(out->name) ||
                 reader_mistake(reader, "the name must be 1-64 of the signs A-Z a-z 0-9 . _ -");
    right = source_read(reader, json, &label, &out->source) && right;
    reader_leave(reader, before);
    return right;
}

static bool read_labels(struct reader *reader, const json_t *labels, struct spec *out)
{
    if (!json_is_object(labels) || json_object_size(labels) > EVENT_LABELS_MAX) {
        return reader_mistake(reader, "must be an object of at most %d labels", EVENT_LABELS_MAX);
    }
    bool right = true;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)labels, name, value)
    {
        right = read_label(reader, name, value, &out->labels[out->label_count++]) && right;
    }
    return right;
}

static bool read_labels_member(struct reader *reader, const json_t *object, struct spec *out)
{
    const json_t *labels = json_object_get(object, "labels");
    if (!labels) {
        labels = json_object_get(reader->common, "labels");
    }
    size_t before = reader_enter(reader, "labels");
    bool right = !labels || read_labels(reader, labels, out);
    reader_leave(reader, before);
    return right;
}

/* The amounts of an order with items are the sums of its items. */
static bool from_items(const struct spec *spec, const struct field *field)
{
    return spec->has_items && (strcmp(field->name, "net") == 0 || strcmp(field->name, "cost") == 0);
}

static bool is_common(const char *name)
{
    for (size_t i = 0; common_members[i]; i++) {
        if (strcmp(common_members[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* A field that an event does not give, but `common` does; messages then name that place. */
static bool read_common_field(struct reader *reader, const struct field *field, const json_t *json,
                              struct source *out)
{
    char path[sizeof reader->path];
    size_t len = reader->path_len;
    memcpy(path, reader->path, sizeof path);
    reader_leave(reader, 0);
    reader_enter(reader, "common");
    reader_enter(reader, field->name);
    bool right = source_read(reader, json, field, out);
    memcpy(reader->path, path, sizeof path);
    reader->path_len = len;
    return right;
}

static bool read_field(struct reader *reader, const json_t *object, const struct field *field,
                       bool needed, struct source *out)
{
    const json_t *json = json_object_get(object, field->name);
    const json_t *common = json_object_get(reader->common, field->name);
    if (!json && common && is_common(field->name)) {
        return read_common_field(reader, field, common, out);
    }
    size_t before = reader_enter(reader, field->name);
    bool right = json ? source_read(reader, json, field, out)
                      : !needed || reader_mistake(reader, "is missing");
    reader_leave(reader, before);
    return right;
}

static bool read_fields(struct reader *reader, const json_t *object, struct spec *out)
{
    bool right = true;
    const struct field *fields = field_list(out->type);
    for (size_t i = 0; fields[i].name; i++) {
        if (!from_items(out, &fields[i])) {
            right = read_field(reader, object, &fields[i], fields[i].required, &out->fields[i]) &&
                    right;
        } else if (json_object_get(object, fields[i].name)) {
            size_t before = reader_enter(reader, fields[i].name);
            right = reader_mistake(reader, "is the sum of the items: leave it out");
            reader_leave(reader, before);
        }
    }
    return right;
}

static bool read_items(struct reader *reader, const json_t *items, struct spec *out)
{
    static const char *const allowed[] = {"sku", "line", "qty", "net", "cost", NULL};
    bool right = reader_members(reader, items, allowed);
    const struct field *fields = field_item_list();
    for (size_t i = 0; json_is_object(items) && fields[i].name; i++) {
        right = read_field(reader, items, &fields[i], fields[i].required, &out->items[i]) && right;
    }
    return right;
}

static bool read_group_column(struct reader *reader, const json_t *json, int *out)
{
    struct text name;
    if (!reader_string(reader, json, 1, &name)) {
        return false;
    }
    *out = reader_column(reader, name);
    return true;
}

/* One column, or a list of them. */
static bool read_group(struct reader *reader, const json_t *json, struct spec *out)
{
    size_t n = json_is_array(json) ? json_array_size(json) : 1;
    if (n == 0 || n > 8) {
        return reader_mistake(reader, "must be a column or a list of 1-8 columns");
    }
    int *columns = reader_take(reader, n * sizeof *columns);
    bool right = columns != NULL;
    for (size_t i = 0; columns && json_is_array(json) && i < n; i++) {
        size_t before = reader_enter_element(reader, i);
        right = read_group_column(reader, json_array_get(json, i), &columns[i]) && right;
        reader_leave(reader, before);
    }
    if (columns && !json_is_array(json)) {
        right = read_group_column(reader, json, columns);
    }
    out->group_by = columns;
    out->group_count = n;
    return right;
}

static bool has_column(const struct template *template)
{
    for (size_t i = 0; i < template->count; i++) {
        if (template->pieces[i].column != MAPPING_NO_COLUMN) {
            return true;
        }
    }
    return false;
}

static bool read_id(struct reader *reader, const json_t *object, struct spec *out)
{
    if (!reader_text(reader, object, "id", 1, &out->id_text)) {
        return false;
    }
    size_t before = reader_enter(reader, "id");
    bool right = template_read(reader, out->id_text, &out->id) &&
                 (has_column(&out->id) ||
                  reader_mistake(reader, "needs a column, as in \"order:{Order ID}\": each event "
                                         "has an id of its own"));
    reader_leave(reader, before);
    return right;
}

static bool read_time(struct reader *reader, const json_t *object, struct spec *out)
{
    size_t before = reader_enter(reader, "time");
    bool right = instant_read(reader, json_object_get(object, "time"), &out->time);
    reader_leave(reader, before);
    return right;
}

static bool read_type(struct reader *reader, const json_t *object, struct spec *out)
{
    struct text name;
    if (!reader_text(reader, object, "type", 1, &name)) {
        return false;
    }
    out->type = field_type(name);
    if (out->type < EVENT_TYPES) {
        return true;
    }
    size_t before = reader_enter(reader, "type");
    reader_mistake(reader, "\"%.60s\" is no type of event, as sale.completed is", name.at);
    reader_leave(reader, before);
    return false;
}

static bool known_members(struct reader *reader, const json_t *object, const struct spec *spec)
{
    const char *allowed[FIELD_LIST_MAX + 8] = {"type", "id", "time", "when", "labels"};
    size_t n = 5;
    if (spec->type == EVENT_SALE_COMPLETED) {
        allowed[n++] = "group_by";
        allowed[n++] = "items";
    }
    for (const struct field *f = field_list(spec->type); f->name; f++) {
        allowed[n++] = f->name;
    }
    return reader_members(reader, object, allowed);
}

static bool read_order_parts(struct reader *reader, const json_t *object, struct spec *out)
{
    const json_t *items = json_object_get(object, "items"), *group;
    bool right = true;
    out->has_items = items != NULL;
    if (items) {
        size_t before = reader_enter(reader, "items");
        right = read_items(reader, items, out);
        reader_leave(reader, before);
    }
    group = json_object_get(object, "group_by");
    if (group) {
        size_t before = reader_enter(reader, "group_by");
        right = read_group(reader, group, out) && right;
        reader_leave(reader, before);
    }
    return right;
}

static bool read_spec(struct reader *reader, const json_t *object, struct spec *out)
{
    if (!json_is_object(object)) {
        return reader_mistake(reader, "must be an object");
    }
    if (!read_type(reader, object, out)) {
        return false; /* nothing else can be judged without it */
    }
    bool right = known_members(reader, object, out);
    right = read_id(reader, object, out) && right;
    right = read_time(reader, object, out) && right;
    right = read_conditions_member(reader, object, "when", &out->when) && right;
    if (out->type == EVENT_SALE_COMPLETED) {
        right = read_order_parts(reader, object, out) && right;
    }
    right = read_fields(reader, object, out) && right;
    return read_labels_member(reader, object, out) && right;
}

/* Two with one id would make the second of each row a duplicate. */
static bool check_ids(struct reader *reader)
{
    const struct mapping *m = reader->mapping;
    bool right = true;
    for (size_t i = 1; i < m->spec_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (m->specs[i].id_text.at && text_equal(m->specs[i].id_text, m->specs[k].id_text)) {
                size_t before = reader_enter_element(reader, i);
                reader_enter(reader, "id");
                right = reader_mistake(reader, "is also the id of events[%zu]", k);
                reader_leave(reader, before);
            }
        }
    }
    return right;
}

static bool read_specs(struct reader *reader, const json_t *list)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n == 0 || n > SPECS_MAX) {
        return reader_mistake(reader, "must be a list of 1-%d kinds of event", SPECS_MAX);
    }
    struct spec *specs = reader_take(reader, n * sizeof *specs);
    bool right = specs != NULL;
    for (size_t i = 0; specs && i < n; i++) {
        size_t before = reader_enter_element(reader, i);
        right = read_spec(reader, json_array_get(list, i), &specs[i]) && right;
        reader_leave(reader, before);
    }
    reader->mapping->specs = specs;
    reader->mapping->spec_count = specs ? n : 0;
    return check_ids(reader) && right;
}

static bool read_sign(struct reader *reader, const json_t *object, const char *member,
                      const char *signs, char *out)
{
    const json_t *json = json_object_get(object, member);
    const char *text = json_string_value(json);
    if (!json) {
        return true;
    }
    if (text && text[0] && !text[1] && strchr(signs, text[0])) {
        *out = text[0];
        return true;
    }
    size_t before = reader_enter(reader, member);
    reader_mistake(reader, "must be one sign");
    reader_leave(reader, before);
    return false;
}

static bool read_ignore(struct reader *reader, const json_t *list, struct numbers *out)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n > MAPPING_IGNORE_MAX) {
        return reader_mistake(reader, "must be a list of at most %d texts", MAPPING_IGNORE_MAX);
    }
    bool right = true;
    for (size_t i = 0; i < n; i++) {
        size_t before = reader_enter_element(reader, i);
        right = reader_string(reader, json_array_get(list, i), 1, &out->ignore[i]) && right;
        reader_leave(reader, before);
    }
    out->ignore_count = n;
    return right;
}

static bool read_numbers(struct reader *reader, const json_t *object, struct numbers *out)
{
    static const char *const allowed[] = {"decimal", "grouping", "ignore", NULL};
    if (!object) {
        return true;
    }
    bool right = reader_members(reader, object, allowed);
    right = read_sign(reader, object, "decimal", ".,", &out->decimal) && right;
    right = read_sign(reader, object, "grouping", ",.' _", &out->grouping) && right;
    if (out->decimal == out->grouping) {
        right = reader_mistake(reader, "the decimal sign cannot be the grouping sign");
    }
    const json_t *ignore = json_object_get(object, "ignore");
    size_t before = reader_enter(reader, "ignore");
    right = (!ignore || read_ignore(reader, ignore, out)) && right;
    reader_leave(reader, before);
    return right;
}

static bool read_source_and_zone(struct reader *reader, const json_t *root)
{
    struct mapping *m = reader->mapping;
    bool right = reader_text(reader, root, "source", 1, &m->source);
    if (right && m->source.len > 256) {
        size_t before = reader_enter(reader, "source");
        right = reader_mistake(reader, "must have at most 256 bytes");
        reader_leave(reader, before);
    }
    return reader_text(reader, root, "zone", 1, &m->zone) && right;
}

static bool read_root(struct reader *reader, const json_t *root)
{
    static const char *const allowed[] = {"about", "source", "zone",   "delimiter", "numbers",
                                          "skip",  "common", "events", NULL};
    struct mapping *m = reader->mapping;
    if (!reader_members(reader, root, allowed) && !json_is_object(root)) {
        return false;
    }
    struct text about;
    bool right = read_source_and_zone(reader, root);
    if (json_object_get(root, "about")) {
        right = reader_text(reader, root, "about", 0, &about) && right;
    }
    right = read_sign(reader, root, "delimiter", ",;\t|", &m->delimiter) && right;
    right = read_conditions_member(reader, root, "skip", &m->skip) && right;
    reader->common = json_object_get(root, "common");
    size_t before = reader_enter(reader, "common");
    right = (!reader->common || reader_members(reader, reader->common, common_members)) && right;
    reader_leave(reader, before);
    before = reader_enter(reader, "numbers");
    right = read_numbers(reader, json_object_get(root, "numbers"), &m->numbers) && right;
    reader_leave(reader, before);
    before = reader_enter(reader, "events");
    right = read_specs(reader, json_object_get(root, "events")) && right;
    reader_leave(reader, before);
    return right;
}

static struct mapping *mapping_new(void)
{
    struct mapping *mapping = calloc(1, sizeof *mapping);
    if (mapping) {
        mapping->arena = arena_open();
        mapping->columns = calloc(READER_COLUMNS_MAX, sizeof *mapping->columns);
        mapping->delimiter = ',';
        mapping->numbers.decimal = '.';
    }
    if (!mapping || !mapping->arena || !mapping->columns) {
        mapping_free(mapping);
        return NULL;
    }
    return mapping;
}

void mapping_free(struct mapping *mapping)
{
    if (mapping) {
        arena_free(mapping->arena);
        free(mapping->columns);
        free(mapping);
    }
}

int mapping_parse(struct mapping **out, const char *json, size_t len, struct mistakes *mistakes,
                  struct error *err)
{
    json_error_t why;
    json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &why);
    if (!root) {
        mistakes_add(mistakes, "", "line %d, column %d: %s", why.line, why.column, why.text);
        return error_set(err, ERROR_INPUT, "is not JSON");
    }
    struct reader reader = {.mapping = mapping_new(), .mistakes = mistakes};
    if (!reader.mapping) {
        json_decref(root);
        return error_memory(err);
    }
    read_root(&reader, root);
    json_decref(root);
    if (reader.no_memory || mistakes_count(mistakes) > 0) {
        mapping_free(reader.mapping);
        return reader.no_memory ? error_memory(err)
                                : error_set(err, ERROR_INPUT, "is not a right mapping");
    }
    *out = reader.mapping;
    return 0;
}

static int read_file(const char *path, char *bytes, size_t *len, struct error *err)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        return error_set(err, ERROR_SYSTEM, "%s: %s", path, strerror(errno));
    }
    *len = fread(bytes, 1, FILE_BYTES_MAX + 1, file);
    int failed = ferror(file) ? errno : 0;
    fclose(file);
    if (failed) {
        return error_set(err, ERROR_SYSTEM, "%s: %s", path, strerror(failed));
    }
    if (*len > FILE_BYTES_MAX) {
        return error_set(err, ERROR_INPUT, "%s: larger than 1 MiB", path);
    }
    return 0;
}

int mapping_read(struct mapping **out, const char *path, struct mistakes *mistakes,
                 struct error *err)
{
    size_t len = 0;
    char *bytes = malloc(FILE_BYTES_MAX + 1);
    if (!bytes) {
        return error_memory(err);
    }
    int result = read_file(path, bytes, &len, err);
    if (result == 0 && mapping_parse(out, bytes, len, mistakes, err) != 0) {
        result = error_prefix(err, "%s", path);
    }
    free(bytes);
    return result;
}
