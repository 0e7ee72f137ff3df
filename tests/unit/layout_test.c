#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/layout.h"

#include <string.h>

static void a_store_that_says_no_layout_has_the_first(void **state)
{
    (void)state;
    assert_int_equal(layout_age(NULL), STORE_LAYOUT == 1 ? LAYOUT_SAME : LAYOUT_OLDER);
    assert_int_equal(layout_age(""), layout_age(NULL));
    assert_int_equal(layout_age("1"), layout_age(NULL));
}

static void a_newer_store_is_refused_and_the_newer_tandem_pointed_to(void **state)
{
    struct error err;
    (void)state;
    assert_int_equal(layout_check("999", &err), -1);
    assert_int_equal(err.code, ERROR_STORE);
    assert_false(err.retry);
    assert_non_null(strstr(err.text, "made by a newer tandem (layout 999 of the keys"));
    assert_int_equal(layout_check_newer("999", &err), -1);
    assert_int_equal(layout_check("x", &err), -1);
}

static void an_older_store_is_refused_but_may_be_rebuilt(void **state)
{
    struct error err;
    (void)state;
    assert_int_equal(layout_check("0", &err), -1);
    assert_non_null(strstr(err.text, "tandem rebuild"));
    assert_int_equal(layout_check_newer("0", &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_that_says_no_layout_has_the_first),
        cmocka_unit_test(a_newer_store_is_refused_and_the_newer_tandem_pointed_to),
        cmocka_unit_test(an_older_store_is_refused_but_may_be_rebuilt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
