/* money_fuzz - a scale, the signs, and any bytes as a decimal: one rounding or the other, the same. */
#include "common/money.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct decimal d;
    struct error err;
    int64_t whole, rounded;
    char out[64];
    if (size < 2) {
        return 0;
    }
    int scale = data[0] % 10;
    char decimal = data[1] & 1 ? ',' : '.', grouping = data[1] & 2 ? (data[1] & 1 ? '.' : ',') : 0;
    struct text text = {(const char *)data + 2, size - 2};
    int rc = money_parse(text, scale, decimal, grouping, &whole, &err);
    if (rc == 0 && decimal_parse(text, decimal, grouping, &d, &err) == 0 &&
        (decimal_round(d, scale, &rounded, &err) != 0 || rounded != whole)) {
        abort();
    }
    if (rc == 0) {
        money_format(whole, scale, decimal, grouping, out, sizeof out);
        if (money_parse(text_of(out), scale, decimal, grouping, &rounded, &err) != 0 ||
            rounded != whole) {
            abort();
        }
    }
    return 0;
}
