# SPDX-License-Identifier: MIT
#
# Reads `nm -n` of the first link and writes the table of function names that
# kernel/symbols.c reads, as assembler source for the second; tools/pack makes
# it small. With no input it writes the empty table of the first link.
# -v app=NAME names the app, whose name is the one other thing that differs from
# image to image. Any POSIX awk.

function digits(hex,    value, i) {
    value = 0
    for (i = 1; i <= length(hex); i++)
        value = value * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
    return value
}

# Image addresses share their upper half, which awk's numbers cannot hold.
{ address = digits(substr($1, 9)) }

$3 == "text_start" { base = address }
$3 == "text_end" { finish = address }

$2 ~ /^[tT]$/ && substr($1, 1, 8) == "ffffffff" &&
$3 !~ /^(text|image|rodata|data)_(start|end)$/ && $3 !~ /^\./ {
    name = $3
    sub(/\..*/, "", name) # .constprop.0 and the like
    if (count > 0 && addresses[count] == address)
        next
    count++
    addresses[count] = address
    names[count] = name
}

function write_distance(distance) {
    while (distance >= 128) {
        printf "    .byte %d\n", 128 + distance % 128
        distance = int(distance / 128)
    }
    printf "    .byte %d\n", distance
}

END {
    print "    .section .symbols, \"a\""
    print "    .globl symbols_start, symbols_end"
    print "symbols_start:"
    last = base
    for (i = 1; i <= count; i++) {
        write_distance(addresses[i] - last)
        printf "    .asciz \"%s\"\n", names[i]
        last = addresses[i]
    }
    if (count > 0) {
        write_distance(finish - last)
        print "    .byte 0"
    }
    print "symbols_end:"
    print "    .globl app_name"
    print "app_name:"
    printf "    .asciz \"%s\"\n", app
    print "    .section .note.GNU-stack, \"\", @progbits"
}
