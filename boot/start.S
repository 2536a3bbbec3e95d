/* SPDX-License-Identifier: MIT */
/*
 * From the boot loader's 32-bit protected mode to kernel_main in 64-bit mode
 * (Intel SDM 3A 10.8.5): check the CPU, build throw-away page tables, enable
 * long mode, jump up to the addresses the image is linked at. Everything in
 * the .boot sections is linked at its load address and becomes free memory
 * once kernel/paging.c has built the real page tables.
 */

#include "boot/layout.h"

#define MULTIBOOT2_LOADED    0x36d76289

#define CR0_PE               (1 << 0)
#define CR0_MP               (1 << 1)
#define CR0_NE               (1 << 5)
#define CR0_WP               (1 << 16)
#define CR0_PG               (1 << 31)
#define CR4_PAE              (1 << 5)
#define CR4_OSFXSR           (1 << 9)
#define CR4_OSXMMEXCPT       (1 << 10)
#define MSR_EFER             0xc0000080
#define EFER_LME             (1 << 8)
#define EFER_NXE             (1 << 11)
#define CPUID_EXTENDED       0x80000001
#define CPUID_NX             20          /* bit of EDX, as the next */
#define CPUID_LONG_MODE      29

#define PAGE_PRESENT_WRITE   0x3
#define PAGE_LARGE           0x80
#define SLOT(address, shift) (((address) >> (shift)) & 511)

/* Firmware uses the end of the memory before it starts us (SeaBIOS 376 KiB),
 * also of what QEMU has loaded there. What lies before is whole. */
#define FIRMWARE_ROOM        0x80000

#define COM1                 0x3f8
#define COM1_LINE_STATUS     (COM1 + 5)
#define COM1_TRANSMIT_EMPTY  (1 << 5)

    .globl layout_image_base
    .set layout_image_base, IMAGE_BASE

    .code32
    .section .boot.text, "ax"

    .globl pvh_entry
pvh_entry:
    movl $BOOT_PVH, %edi
    jmp enter

    .globl multiboot2_entry
multiboot2_entry:
    movl $BOOT_MULTIBOOT2, %edi
    cmpl $MULTIBOOT2_LOADED, %eax
    movl $message_loader, %esi
    jne refuse

/* EDI: which protocol; EBX: physical address of its information. */
enter:
    cli
    cld
    movl $boot_stack_top, %esp

    /* Is there memory behind the image? It is left as it was. */
    movl $(image_end - IMAGE_BASE + FIRMWARE_ROOM), %ecx
    movl (%ecx), %eax
    notl (%ecx)
    notl %eax
    cmpl %eax, (%ecx)
    movl $message_memory, %esi
    jne refuse
    notl (%ecx)

    /* The TSC at entry, for the boot phases: kept in EBP:ESI. */
    movl %ebx, %ecx
    rdtsc
    movl %eax, %esi
    movl %edx, %ebp
    pushl %ecx

    movl $0x80000000, %eax
    cpuid
    cmpl $CPUID_EXTENDED, %eax
    jb no_long_mode
    movl $CPUID_EXTENDED, %eax
    cpuid
    btl $CPUID_LONG_MODE, %edx
    jnc no_long_mode
    popl %ebx
    pushl %edx

    /* The first 4 GiB in 2 MiB pages, four page directories in a row. */
    movl $boot_directories, %ecx
    movl $(PAGE_PRESENT_WRITE | PAGE_LARGE), %eax
1:  movl %eax, (%ecx)
    addl $8, %ecx
    addl $0x200000, %eax
    jnc 1b

    /* They are seen at 0, at DIRECT_BASE and, the first GiB, at IMAGE_BASE. */
    movl $(boot_directories + PAGE_PRESENT_WRITE), %eax
    movl %eax, boot_pointers_high + 8 * SLOT(IMAGE_BASE, 30)
    movl $boot_pointers, %ecx
    movl $4, %edx
2:  movl %eax, (%ecx)
    addl $8, %ecx
    addl $4096, %eax
    decl %edx
    jnz 2b
    movl $(boot_pointers + PAGE_PRESENT_WRITE), %eax
    movl %eax, boot_tables
    movl %eax, boot_tables + 8 * SLOT(DIRECT_BASE, 39)
    movl $(boot_pointers_high + PAGE_PRESENT_WRITE), %eax
    movl %eax, boot_tables + 8 * SLOT(IMAGE_BASE, 39)

    /* SSE is for the app: the kernel uses general registers only. */
    movl $(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT), %eax
    movl %eax, %cr4
    movl $boot_tables, %eax
    movl %eax, %cr3

    popl %eax                   /* what CPUID said */
    btl $CPUID_NX, %eax
    movl $MSR_EFER, %ecx
    rdmsr
    jnc 3f
    orl $EFER_NXE, %eax
3:  orl $EFER_LME, %eax
    wrmsr

    /* Caches on, x87 and SSE usable, read-only pages read-only for us, too. */
    movl $(CR0_PG | CR0_WP | CR0_NE | CR0_MP | CR0_PE), %eax
    movl %eax, %cr0

    lgdtl boot_gdt_pointer
    ljmpl $0x08, $long_mode

no_long_mode:
    movl $message_long_mode, %esi

/* ESI: why. Says so on the serial port as firmware left it, and stops. */
refuse:
    movl $0x10000, %ecx         /* a port that never gets ready: give up */
4:  movw $COM1_LINE_STATUS, %dx
    inb %dx, %al
    testb $COM1_TRANSMIT_EMPTY, %al
    loopz 4b
    lodsb
    testb %al, %al
    jz 5f
    movw $COM1, %dx
    outb %al, %dx
    jmp refuse
5:  cli
    hlt
    jmp 5b

    .code64
long_mode:
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs

    fninit
    ldmxcsr boot_mxcsr

    /* kernel_main(protocol, information, tsc); upper halves are zero. */
    movl %esi, %edx
    shlq $32, %rbp
    orq %rbp, %rdx
    movl %edi, %edi
    movl %ebx, %esi
    movq $stack_app_top, %rsp
    xorl %ebp, %ebp             /* where a backtrace ends */
    movq $kernel_main, %rax
    callq *%rax
    ud2

    .section .boot.rodata, "a"
message_long_mode:
    .asciz "ferrule: this CPU has no 64-bit mode\r\n"
message_memory:
    .asciz "ferrule: too little memory\r\n"
message_loader:
    .asciz "ferrule: not started by a multiboot2 loader\r\n"

    .balign 4
boot_mxcsr:
    .long 0x1f80                /* round to nearest, no exceptions */

    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff    /* code, 64-bit */
boot_gdt_pointer:
    .short . - boot_gdt - 1
    .long boot_gdt

    .section .boot.bss, "aw", @nobits
    .balign 4096
boot_tables:
    .skip 4096
boot_pointers:
    .skip 4096
boot_pointers_high:
    .skip 4096
boot_directories:
    .skip 4 * 4096
boot_stack:
    .skip 64
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
