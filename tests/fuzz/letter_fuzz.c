/* letter_fuzz - any bytes as the key of a dead letter, its value, and a line of a file to resend. */
#include "common/event.h"
#include "fuzz.h"
#include "producers/rejected/correction.h"
#include "producers/rejected/letter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct corrections corrections = {0};
    struct text text = {(const char *)data, size}, topic;
    struct record record = {.value = text, .key = text};
    struct letter letter;
    XXH128_hash_t hash;
    int32_t partition;
    int64_t offset;
    struct error err;
    if (letter_key(text, &topic, &partition, &offset) &&
        (partition < 0 || offset < 0 || topic.len + 4 > size)) {
        abort();
    }
    letter_read(&record, &letter);
    letter_event_hash(&record, &hash);
    letter_is_event(text);
    if (corrections_parse(&corrections, text, &err) == 0 &&
        (corrections.count != 1 || corrections_finish(&corrections, &err) != 0 ||
         !corrections_find(&corrections, text_of(corrections.list[0].key)))) {
        abort();
    }
    corrections_clear(&corrections);
    return 0;
}
