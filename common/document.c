#include "common/document.h"

#include "common/names.h"

#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    PADDING = 64,    /* zero bytes behind the text: no read has to look where it ends */
    NAME_BYTES = 24, /* of the longest name of a list */
    NAMES_MAX = 64,
    DEPTH_MAX = 64,
    PAIRWISE_MAX = 48 /* more names than that are sorted: a record may hold thousands */
};

/* A name of the list, its closing quote and zeroes, to be compared eight bytes at a time; the masks
 * leave of two such words what belongs to the name. */
struct key {
    char bytes[NAME_BYTES + 16]; /* with these the struct has 64 bytes */
    uint64_t masks[2];
    size_t len;
};

struct document {
    struct names names;
    struct key keys[NAMES_MAX];
    size_t bytes_max;
    int depth_max;
    /* The name that last followed each, or was the first in an object of this depth. */
    uint8_t follows[NAMES_MAX + DEPTH_MAX];
    char *bytes; /* the text: strings are unescaped where they stand */
    char *end;   /* of the text */
    struct document_value *values, *next;
    const struct document_value **sorted; /* names of one large object */
    uint8_t *deep;                        /* a bit a level below depth_max: an object */
    struct document_faults *faults;
};

static void open_key(struct key *key, const char *name)
{
    key->len = strlen(name);
    memcpy(key->bytes, name, key->len);
    key->bytes[key->len] = '"';
    memset(key->masks, 0, sizeof key->masks);
    memset(key->masks, 0xff, key->len < sizeof key->masks ? key->len + 1 : sizeof key->masks);
}

int document_open(struct document **out, const char *const *names, int count, size_t bytes_max,
                  int depth_max, struct error *err)
{
    struct document *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d)
        return error_memory(err);
    d->bytes_max = bytes_max;
    d->depth_max = depth_max;
    /* A value takes a byte and a comma; but for the open containers and the last in each. */
    d->values = malloc((bytes_max / 2 + 2 * (size_t)depth_max + 16) * sizeof *d->values);
    d->bytes = malloc(bytes_max + PADDING);
    d->sorted = malloc((bytes_max / 5 + 1) * sizeof(struct document_value *));
    d->deep = malloc(bytes_max / 8 + 1);
    if (!d->values || !d->bytes || !d->sorted || !d->deep) {
        document_free(d);
        return error_memory(err);
    }
    names_open(&d->names, names, count);
    for (int i = 0; i < count; i++)
        open_key(&d->keys[i], names[i]);
    *out = d;
    return 0;
}

void document_free(struct document *document)
{
    if (!document)
        return;
    free(document->values);
    free(document->bytes);
    free(document->sorted);
    free(document->deep);
    free(document);
}

static char *fail(struct document *d, const char *at, const char *problem)
{
    d->faults->problem = at >= d->end ? "ends too early" : problem;
    d->faults->at = (size_t)(at - d->bytes);
    return NULL;
}

static inline char *blanks(char *at)
{
    /* Nearly always there are none. */
    while ((unsigned char)*at <= ' ' && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
        at++;
    return at;
}

/* ---- strings ---- */

/* The first byte from `at` on that ends a string or needs a closer look: a quote, a backslash, a
 * control character, DEL, or one beyond ASCII. Most strings are shorter than 16 bytes. */
static inline char *plain_end(char *at)
{
#ifdef __SSE2__
    const __m128i blank = _mm_set1_epi8(' '), del = _mm_set1_epi8(0x7f), quote = _mm_set1_epi8('"'),
                  backslash = _mm_set1_epi8('\\');
    for (;; at += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* Compared as signed: bytes beyond ASCII are below the blank, too. */
        __m128i control = _mm_or_si128(_mm_cmplt_epi8(x, blank), _mm_cmpeq_epi8(x, del));
        __m128i mark = _mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, backslash));
        int found = _mm_movemask_epi8(_mm_or_si128(control, mark));
        if (found)
            return at + __builtin_ctz((unsigned)found);
    }
#else
    while ((unsigned char)*at >= ' ' && (unsigned char)*at < 0x7f && *at != '"' && *at != '\\')
        at++;
    return at;
#endif
}

size_t document_utf8(const char *at, size_t left)
{
    const unsigned char *c = (const unsigned char *)at;
    if (left == 0)
        return 0;
    size_t bytes = c[0] < 0x80                   ? 1
                   : c[0] >= 0xc2 && c[0] < 0xe0 ? 2
                   : (c[0] & 0xf0) == 0xe0       ? 3
                   : c[0] >= 0xf0 && c[0] < 0xf5 ? 4
                                                 : 0;
    if (bytes == 0 || bytes > left)
        return 0;
    for (size_t i = 1; i < bytes; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
        (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
        return 0;
    return bytes;
}

/* Four hexadecimal digits, or -1. */
static int32_t hex4(const char *at)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9'                     ? c - '0'
                    : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                             : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static char *put_utf8(char *to, int32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

/* The digits behind `\u`, and a second such escape for the other half of a character. */
static char *read_unicode(char *at, char **to)
{
    int32_t c = hex4(at), low;
    if (c < 0 || (c >= 0xdc00 && c < 0xe000))
        return NULL;
    at += 4;
    if (c >= 0xd800 && c < 0xdc00) {
        if (at[0] != '\\' || at[1] != 'u')
            return NULL;
        low = hex4(at + 2);
        if (low < 0xdc00 || low > 0xdfff)
            return NULL;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
    }
    *to = put_utf8(*to, c);
    return at;
}

/* What follows a backslash. An escape is longer than what it stands for: *to stays behind. */
static char *read_escape(char *at, char **to)
{
    static const char escaped[256] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };
    char c = escaped[(unsigned char)*at];
    if (*at == 'u')
        return read_unicode(at + 1, to);
    if (!c)
        return NULL;
    *(*to)++ = c;
    return at + 1;
}

/* The rest of a string from its first byte that is not plain. */
static char *read_string_slowly(struct document *d, char *at, struct document_value *value)
{
    char *to = at;
    value->plain = false;
    while (*at != '"') {
        char *end = plain_end(at);
        if (end != at) {
            memmove(to, at, (size_t)(end - at));
            to += end - at;
            at = end;
            continue;
        }
        if (*at == '\\') {
            char *behind = read_escape(at + 1, &to);
            if (!behind)
                return fail(d, at, "no such escape");
            at = behind;
            continue;
        }
        size_t bytes = document_utf8(at, (size_t)(d->end - at));
        if (bytes == 0 || (unsigned char)*at < ' ')
            return fail(d, at, bytes ? "control character in a string" : "not UTF-8");
        memmove(to, at, bytes);
        to += bytes;
        at += bytes;
    }
    value->size = (uint32_t)(to - value->text);
    return at + 1;
}

/* From behind the opening quote. */
static inline char *read_string(struct document *d, char *at, struct document_value *value)
{
    char *end = plain_end(at);
    value->type = DOCUMENT_STRING;
    value->plain = true;
    value->size = (uint32_t)(end - at);
    value->text = at;
    return *end == '"' ? end + 1 : read_string_slowly(d, end, value);
}

/* ---- numbers and words ---- */

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static char *digits(char *at)
{
    while (is_digit(*at))
        at++;
    return at;
}

/* Whether the digits are a number of int64. */
static bool fits(const char *at, const char *end, bool negative, int64_t *out)
{
    *out = 0;
    for (; at < end; at++) {
        int digit = *at - '0';
        if (__builtin_mul_overflow(*out, 10, out) ||
            __builtin_add_overflow(*out, negative ? -digit : digit, out))
            return false;
    }
    return true;
}

/* A number of many digits, with a fraction or with an exponent; `end` is that of its digits. */
static char *read_long_number(struct document *d, char *first, char *end, bool negative,
                              struct document_value *value)
{
    bool whole = *end != '.' && *end != 'e' && *end != 'E';
    value->type =
        whole && fits(first, end, negative, &value->integer) ? DOCUMENT_INT : DOCUMENT_NUMBER;
    if (*end == '.') {
        if (!is_digit(*++end))
            return fail(d, end, "a digit is expected");
        end = digits(end);
    }
    if (*end == 'e' || *end == 'E') {
        end++;
        if (*end == '+' || *end == '-')
            end++;
        if (!is_digit(*end))
            return fail(d, end, "a digit is expected");
        end = digits(end);
    }
    return end;
}

static inline char *read_number(struct document *d, char *at, struct document_value *value)
{
    bool negative = *at == '-';
    char *first = at + negative;
    uint64_t number = 0; /* of more than 18 digits it is not looked at */
    for (at = first; is_digit(*at); at++)
        number = number * 10 + (uint64_t)(*at - '0');
    if (at == first || (*first == '0' && is_digit(first[1])))
        return fail(d, first, "no such number");
    value->type = DOCUMENT_INT;
    value->integer = (int64_t)(negative ? -number : number);
    if (at - first > 18 || *at == '.' || *at == 'e' || *at == 'E')
        return read_long_number(d, first, at, negative, value);
    return at;
}

static char *read_word(struct document *d, char *at, const char *word, enum document_type type,
                       struct document_value *value)
{
    size_t len = strlen(word);
    if (memcmp(at, word, len) != 0)
        return fail(d, at, "a value is expected");
    value->type = (uint8_t)type;
    return at + len;
}

static inline char *read_scalar(struct document *d, char *at, struct document_value *value)
{
    switch (*at) {
    case '"':
        return read_string(d, at + 1, value);
    case 't':
        return read_word(d, at, "true", DOCUMENT_TRUE, value);
    case 'f':
        return read_word(d, at, "false", DOCUMENT_FALSE, value);
    case 'n':
        return read_word(d, at, "null", DOCUMENT_NULL, value);
    default:
        if (*at == '-' || is_digit(*at))
            return read_number(d, at, value);
        return fail(d, at, "a value is expected");
    }
}

/* ---- below the deepest level allowed ---- */

static char *skip_name(struct document *d, char *at)
{
    struct document_value name;
    if (*at != '"')
        return fail(d, at, "a member name is expected");
    if (!(at = read_string(d, at + 1, &name)))
        return NULL;
    at = blanks(at);
    return *at == ':' ? blanks(at + 1) : fail(d, at, "a colon is expected");
}

/* Goes over a container too deep to be kept: it must be JSON all the same, because whether a text
 * is JSON is asked before how deep it is. Any depth, without recursion. */
static char *skip_deep(struct document *d, char *at)
{
    struct document_value scalar;
    size_t level = 0;
    d->faults->too_deep = true;
    for (;;) {
        bool object = *at == '{';
        if (object || *at == '[') {
            uint8_t bit = (uint8_t)(1u << (level & 7));
            d->deep[level / 8] =
                (uint8_t)(object ? d->deep[level / 8] | bit : d->deep[level / 8] & ~bit);
            level++;
            at = blanks(at + 1);
            if (*at != (object ? '}' : ']')) {
                if (object && !(at = skip_name(d, at)))
                    return NULL;
                continue;
            }
        } else if (!(at = read_scalar(d, at, &scalar))) {
            return NULL;
        }
        /* Behind a value: out of what ends here, to the next value. */
        for (;;) {
            object = d->deep[(level - 1) / 8] >> ((level - 1) & 7) & 1;
            at = blanks(at);
            if (*at == ',') {
                at = blanks(at + 1);
                if (object && !(at = skip_name(d, at)))
                    return NULL;
                break;
            }
            if (*at != (object ? '}' : ']'))
                return fail(d, at, "a comma or the end of the container is expected");
            at++;
            if (--level == 0)
                return at;
        }
    }
}

/* ---- names ---- */

static inline uint64_t eight(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Whether the name that begins at `at`, closing quote included, is the key's. */
static inline bool is_key(const char *at, const struct key *key)
{
    uint64_t differ = (eight(at) & key->masks[0]) ^ eight(key->bytes);
    if (key->len < 16)
        return (differ | ((eight(at + 8) & key->masks[1]) ^ eight(key->bytes + 8))) == 0;
    return memcmp(at, key->bytes, key->len + 1) == 0;
}

static uint8_t find_name(const struct document *d, const char *at, size_t len)
{
    int place = names_find(&d->names, (struct text){at, len});
    return place < 0 ? DOCUMENT_UNKNOWN : (uint8_t)place;
}

static void note_repeated(struct document *d, const struct document_value *name)
{
    if (!d->faults->repeated)
        d->faults->repeated_name = document_text(name);
    d->faults->repeated = true;
}

static int compare_names(const void *a, const void *b)
{
    const struct document_value *x = *(const struct document_value *const *)a;
    const struct document_value *y = *(const struct document_value *const *)b;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    return memcmp(x->text, y->text, x->size);
}

static void compare_sorted(struct document *d, size_t count)
{
    qsort(d->sorted, count, sizeof *d->sorted, compare_names);
    for (size_t i = 1; i < count; i++)
        if (compare_names(&d->sorted[i - 1], &d->sorted[i]) == 0)
            note_repeated(d, d->sorted[i]);
}

/* A bit a name: only names that meet in a bit are worth comparing. */
static void compare_pairs(struct document *d, size_t count)
{
    uint64_t bits[4] = {0};
    for (size_t n = 0; n < count; n++) {
        const struct document_value *name = d->sorted[n];
        unsigned bit = name->size ? names_mix(name->text, name->size) & 255 : 0;
        if (bits[bit / 64] >> (bit % 64) & 1)
            for (size_t i = 0; i < n; i++)
                if (compare_names(&d->sorted[i], &name) == 0)
                    note_repeated(d, name);
        bits[bit / 64] |= UINT64_C(1) << (bit % 64);
    }
}

/* Repeated names among those that are not in the list; those that are have a bit each. */
static void compare_unknown(struct document *d, const struct document_value *object)
{
    size_t count = 0;
    const struct document_value *name = object + 1;
    for (; name < d->next; name = document_next(name + 1))
        if (name->name == DOCUMENT_UNKNOWN)
            d->sorted[count++] = name;
    if (count > PAIRWISE_MAX)
        compare_sorted(d, count);
    else
        compare_pairs(d, count);
}

/* ---- containers ---- */

static char *read_value(struct document *d, char *at, struct document_value *value, int depth);

static inline void close_container(const struct document *d, struct document_value *container,
                                   enum document_type type, int64_t count)
{
    container->type = (uint8_t)type;
    container->size = (uint32_t)(d->next - container - 1);
    container->integer = count;
}

/* From the opening quote, or blanks before it. In most events the same members follow each other: the name that came
 * here last time is tried first, and mostly neither scanned nor looked for. */
static inline char *read_name(struct document *d, char *at, uint8_t *follows,
                              struct document_value *name)
{
    const struct key *key = &d->keys[*follows];
    if (*at != '"' && *(at = blanks(at)) != '"')
        return fail(d, at, "a member name is expected");
    if (is_key(at + 1, key)) {
        name->text = at + 1;
        name->size = (uint32_t)key->len;
        name->type = DOCUMENT_STRING;
        name->plain = true;
        name->name = *follows;
        return at + key->len + 2;
    }
    if (!(at = read_string(d, at + 1, name)))
        return NULL;
    name->name = find_name(d, name->text, name->size);
    if (name->name != DOCUMENT_UNKNOWN)
        *follows = name->name;
    return at;
}

/* `depth`: how many levels may still be opened inside. */
static char *read_object(struct document *d, char *at, struct document_value *object, int depth)
{
    uint64_t known = 0;
    int unknown = 0;
    int64_t count = 0;
    uint8_t *follows = &d->follows[NAMES_MAX + depth];
    at = blanks(at);
    if (*at == '}') {
        close_container(d, object, DOCUMENT_OBJECT, 0);
        return at + 1;
    }
    for (;; at++) {
        struct document_value *name = d->next;
        d->next += 2;
        if (!(at = read_name(d, at, follows, name)))
            return NULL;
        if (name->name == DOCUMENT_UNKNOWN) {
            unknown++;
        } else {
            if (known >> name->name & 1)
                note_repeated(d, name);
            known |= UINT64_C(1) << name->name;
            follows = &d->follows[name->name];
        }
        if (*at != ':' && *(at = blanks(at)) != ':')
            return fail(d, at, "a colon is expected");
        if (*++at == '"')
            at = read_string(d, at + 1, name + 1);
        else if (is_digit(*at))
            at = read_number(d, at, name + 1);
        else
            at = read_value(d, blanks(at), name + 1, depth);
        if (!at)
            return NULL;
        count++;
        if (*at != ',' && *(at = blanks(at)) != ',')
            break;
    }
    if (*at != '}')
        return fail(d, at, "a comma or a closing brace is expected");
    if (unknown > 1)
        compare_unknown(d, object);
    close_container(d, object, DOCUMENT_OBJECT, count);
    return at + 1;
}

static char *read_array(struct document *d, char *at, struct document_value *array, int depth)
{
    int64_t count = 0;
    at = blanks(at);
    if (*at == ']') {
        close_container(d, array, DOCUMENT_ARRAY, 0);
        return at + 1;
    }
    for (;; at = blanks(at + 1)) {
        if (!(at = read_value(d, at, d->next++, depth)))
            return NULL;
        count++;
        at = blanks(at);
        if (*at != ',')
            break;
    }
    if (*at != ']')
        return fail(d, at, "a comma or a closing bracket is expected");
    close_container(d, array, DOCUMENT_ARRAY, count);
    return at + 1;
}

static char *read_value(struct document *d, char *at, struct document_value *value, int depth)
{
    if (*at != '{' && *at != '[')
        return read_scalar(d, at, value);
    if (depth == 0) {
        close_container(d, value, *at == '{' ? DOCUMENT_OBJECT : DOCUMENT_ARRAY, 0);
        return skip_deep(d, at);
    }
    return *at == '{' ? read_object(d, at + 1, value, depth - 1)
                      : read_array(d, at + 1, value, depth - 1);
}

const struct document_value *document_read(struct document *document, struct text json,
                                           struct document_faults *faults)
{
    struct document *d = document;
    *faults = (struct document_faults){0};
    if (json.len > d->bytes_max) {
        faults->problem = "too long";
        return NULL;
    }
    /* Copied: so it can be padded and unescaped in place, and is in the cache from here on. */
    memcpy(d->bytes, json.at, json.len);
    memset(d->bytes + json.len, 0, PADDING);
    d->faults = faults;
    d->end = d->bytes + json.len;
    d->next = d->values;
    char *at = read_value(d, blanks(d->bytes), d->next++, d->depth_max);
    if (!at)
        return NULL;
    at = blanks(at);
    if (at != d->end) {
        fail(d, at, "more follows the value");
        return NULL;
    }
    return d->values;
}

void document_members(const struct document_value *object, int first, int count,
                      const struct document_value **values)
{
    const struct document_value *name = object + 1, *end = name + object->size;
    memset(values, 0, (size_t)count * sizeof *values);
    for (; name < end; name = document_next(name + 1)) {
        unsigned place = name->name - (unsigned)first;
        if (place < (unsigned)count)
            values[place] = name + 1;
    }
}
