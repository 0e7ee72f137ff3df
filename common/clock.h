/* clock.h - the time, behind one seam.
 *
 * The only place that asks the machine for the time, so that a test can put its own in. */
#ifndef TANDEM_CLOCK_H
#define TANDEM_CLOCK_H

#include <stdint.h>

int64_t clock_mono_ms(void);     /* milliseconds that never step; for waits and rates */
int64_t clock_wall_ms(void);     /* epoch milliseconds */
void clock_sleep_ms(int64_t ms); /* returns early on a signal */

#endif
