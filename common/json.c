#include "common/json.h"

#include <stdlib.h>

/* Objects up to this size are compared pair by pair, larger ones are sorted: a hostile record may
 * hold ten thousand members. */
#define PAIRWISE_MAX 48

static int compare_names(const void *a, const void *b)
{
    yyjson_val *x = *(yyjson_val *const *)a, *y = *(yyjson_val *const *)b;
    size_t m = yyjson_get_len(x), n = yyjson_get_len(y);
    if (m != n)
        return m < n ? -1 : 1;
    return memcmp(yyjson_get_str(x), yyjson_get_str(y), m);
}

static void note_repeated(struct json_check *out, yyjson_val *name)
{
    out->repeated = true;
    out->repeated_name = json_text(name);
}

static void check_names_sorted(yyjson_val *object, struct json_check *out)
{
    size_t count = yyjson_obj_size(object), i = 0;
    yyjson_val **names = malloc(count * sizeof *names);
    if (!names) { /* at most 100 KiB of pointers; refusing the record is the safe answer */
        out->too_deep = true;
        return;
    }
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&iter));)
        names[i++] = name;
    qsort(names, count, sizeof *names, compare_names);
    for (i = 1; i < count && !out->repeated; i++)
        if (compare_names(&names[i - 1], &names[i]) == 0)
            note_repeated(out, names[i]);
    free(names);
}

/* A bit a name: only names that meet in a bit are worth comparing. */
static void check_names(yyjson_val *object, struct json_check *out)
{
    yyjson_val *seen[PAIRWISE_MAX];
    uint64_t bits[4] = {0};
    size_t count = 0;
    if (yyjson_obj_size(object) > PAIRWISE_MAX) {
        check_names_sorted(object, out);
        return;
    }
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&iter));) {
        struct text text = json_text(name);
        unsigned bit = text.len ? names_mix(text.at, text.len) & 255 : 0;
        if (bits[bit / 64] >> (bit % 64) & 1)
            for (size_t i = 0; i < count; i++)
                if (text_equal(json_text(seen[i]), text))
                    note_repeated(out, name);
        bits[bit / 64] |= UINT64_C(1) << (bit % 64);
        seen[count++] = name;
    }
}

void json_check(yyjson_val *root, int depth, struct json_check *out)
{
    if (!yyjson_is_ctn(root))
        return;
    if (depth <= 0) {
        out->too_deep = true;
        return;
    }
    if (yyjson_is_obj(root)) {
        if (!out->repeated)
            check_names(root, out);
        yyjson_obj_iter iter = yyjson_obj_iter_with(root);
        for (yyjson_val *name; (name = yyjson_obj_iter_next(&iter));)
            json_check(yyjson_obj_iter_get_val(name), depth - 1, out);
    } else {
        yyjson_arr_iter iter = yyjson_arr_iter_with(root);
        for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter));)
            json_check(item, depth - 1, out);
    }
}

void json_members(yyjson_val *object, const struct names *names, yyjson_val **values, int count)
{
    memset(values, 0, (size_t)count * sizeof *values);
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&iter));) {
        int place = names_find(names, json_text(name));
        if (place >= 0 && !values[place])
            values[place] = yyjson_obj_iter_get_val(name);
    }
}
