/* mapping_fuzz - any bytes as a mapping file; as many bad paths as there are, each is a mistake. */
#include "fuzz.h"
#include "producers/import/mapping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mapping *mapping = NULL;
    struct mistakes *mistakes = mistakes_open();
    struct error err;
    int rc = mapping_parse(&mapping, (const char *)data, size, mistakes, &err);
    if (rc == 0 && (mapping->spec_count == 0 || mistakes_count(mistakes) > 0)) {
        abort();
    }
    if (rc == 0) {
        mapping_free(mapping);
    }
    mistakes_free(mistakes);
    return 0;
}
