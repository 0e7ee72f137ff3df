/* html.h - a page of HTML that needs nothing beside itself: no script, no other host. */
#ifndef TANDEM_HTML_H
#define TANDEM_HTML_H

#include <stdio.h>

/* Up to and with <body>; `language` is "en" or "ro". */
void html_begin(FILE *out, const char *language, const char *title);
void html_end(FILE *out);
/* Text, with every sign escaped that HTML takes for its own, in attributes too. */
void html_text(FILE *out, const char *text);
/* <tag class="class">text</tag>; class "" for none. */
void html_element(FILE *out, const char *tag, const char *class, const char *text);

#endif
