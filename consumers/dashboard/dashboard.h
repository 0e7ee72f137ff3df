/* dashboard.h - `tandem dashboard`: the comparison as a page, live. */
#ifndef TANDEM_DASHBOARD_H
#define TANDEM_DASHBOARD_H

#include "common/command.h"

extern const struct command dashboard_command;

#endif
