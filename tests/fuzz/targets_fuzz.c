/* targets_fuzz - any bytes as a targets file: taken whole and printed, or refused with mistakes. */
#include "consumers/comparison/targets.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *nowhere;
    struct targets *targets = NULL;
    struct sentences *sentences = NULL;
    struct error err;
    struct text json = {(const char *)data, size};
    if (!nowhere && !(nowhere = fopen("/dev/null", "we"))) {
        abort();
    }
    if (targets_parse(&targets, json, "region,line,labels.segment", &sentences, &err) != 0) {
        if (sentences_count(sentences) == 0) {
            abort();
        }
        sentences_free(sentences);
        return 0;
    }
    targets_print(targets, nowhere);
    if (targets_warnings(targets, &sentences, &err) == 0) {
        sentences_free(sentences);
    }
    targets_free(targets);
    return 0;
}
