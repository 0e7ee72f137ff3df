/* reporter.h - `tandem reporter`: publishes the comparison of sale and service. */
#ifndef TANDEM_REPORTER_H
#define TANDEM_REPORTER_H

#include "common/command.h"

extern const struct command reporter_command;

#endif
