/* SPDX-License-Identifier: MIT */
/*
 * The borders of the image's parts, as linker.ld draws them.
 */
#pragma once

/* Physical addresses: what start.S needed. Free memory after paging_start. */
extern char boot_start[], boot_end[];

/* Addresses the image runs at, page by page. */
extern char image_start[], image_end[];
extern char text_start[], text_end[];
extern char rodata_start[], rodata_end[];
extern char data_start[], data_end[];

/* The constants end here, before the page does; in the file they are packed. */
extern char constants_end[], packed_start[];

/* Puts the constants where they belong: before it there is no text, no table.
 */
void image_unpack(void);
