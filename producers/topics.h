/* topics.h - `tandem topics`: makes the five topics and says whether they are fit. */
#ifndef TANDEM_TOPICS_H
#define TANDEM_TOPICS_H

#include "common/command.h"

extern const struct command topics_command;

#endif
