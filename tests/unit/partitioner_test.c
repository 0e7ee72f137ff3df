#include "common/partitioner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Keys and hashes as the Java client's own tests state them. */
static const struct {
    const char *key;
    int32_t hash;
} vectors[] = {
    {"21", -973932308},
    {"foobar", -790332482},
    {"a-little-bit-long-string", -985981536},
    {"a-little-bit-longer-string", -1486304829},
    {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
    {"abc", 479470107},
};

static void the_partition_is_the_one_the_java_client_takes(void **state)
{
    (void)state;
    static const int32_t counts[] = {1, 2, 3, 4, 7, 12, 100, 1009, INT32_MAX};
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        for (size_t j = 0; j < sizeof counts / sizeof counts[0]; j++) {
            int32_t expected = (vectors[i].hash & 0x7fffffff) % counts[j];
            assert_int_equal(partition_of(text_of(vectors[i].key), counts[j]), expected);
        }
    }
}

static void an_empty_key_has_a_partition_too(void **state)
{
    (void)state;
    assert_int_equal(partition_of(text_of(""), INT32_MAX), 275646681 % INT32_MAX);
    assert_int_equal(partition_of(text_of(""), 4), 275646681 % 4);
}

static void bytes_above_127_count_as_unsigned(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 3; len++) {
        char high[] = "\xff\xff\xff";
        char low[] = "\x7f\x7f\x7f";
        assert_int_not_equal(partition_of((struct text){high, len}, INT32_MAX),
                             partition_of((struct text){low, len}, INT32_MAX));
    }
    /* Three bytes of which the last would spoil the others were it taken as negative. */
    assert_int_equal(partition_of((struct text){"\xff\x01\x80", 3}, INT32_MAX), 840742134);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_partition_is_the_one_the_java_client_takes),
        cmocka_unit_test(an_empty_key_has_a_partition_too),
        cmocka_unit_test(bytes_above_127_count_as_unsigned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
