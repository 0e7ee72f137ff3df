/* health.h - `tandem health`: asks a running role how it is, for a container that has no shell. */
#ifndef TANDEM_HEALTH_H
#define TANDEM_HEALTH_H

#include "common/command.h"

extern const struct command health_command;

#endif
