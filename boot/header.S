/* SPDX-License-Identifier: MIT */
/*
 * How boot loaders recognise and enter the image: a multiboot2 header for
 * GRUB (Multiboot2 specification 3.1) and an ELF note for direct boot by the
 * Xen PVH protocol (qemu -kernel). Both enter in 32-bit protected mode.
 */

#define MULTIBOOT2_MAGIC        0xe85250d6
#define MULTIBOOT2_I386         0
#define MULTIBOOT2_TAG_END      0
#define MULTIBOOT2_TAG_ALIGN    6
#define XEN_ELFNOTE_PHYS32_ENTRY 18

    .section .boot.header, "a"
    .balign 8
multiboot2_header:
    .long MULTIBOOT2_MAGIC
    .long MULTIBOOT2_I386
    .long multiboot2_header_end - multiboot2_header
    .long -(MULTIBOOT2_MAGIC + MULTIBOOT2_I386 + \
            (multiboot2_header_end - multiboot2_header))

    .short MULTIBOOT2_TAG_ALIGN /* modules on page boundaries, please */
    .short 0
    .long 8

    .short MULTIBOOT2_TAG_END
    .short 0
    .long 8
multiboot2_header_end:

    .section .note.pvh, "a", @note
    .balign 4
    .long 4                     /* bytes of name, of value; type */
    .long 8
    .long XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .quad pvh_entry

    .section .note.GNU-stack, "", @progbits
