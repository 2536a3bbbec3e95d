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

/* From rodata_start to here the file has the contents packed: the constants,
 * and behind them what variables begin with. */
extern char contents_end[], packed_start[];

/* Puts them where they belong: before it there is no text, no table, and no
 * variable has any value but 0. */
void image_unpack(void);
