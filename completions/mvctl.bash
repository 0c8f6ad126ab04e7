# bash completion for mvctl
# Generated from the command tree by scripts/generate-docs: do not edit.

_mvctl_command() {  # what stands below the command $1
  subcommands='' flags='' arguments=''
  case "$1" in
    'mvctl') subcommands='keys bundle init deploy debug trace crashes devices apps microvisor logs events signers context emulator usb board completion help' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl keys') subcommands='create show list change sign inspect' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl keys create') subcommands='' flags='--help -h --private-key --debug-auth-privkey --public-key --debug-auth-pubkey --force --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl keys show') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='@keys' ;;
    'mvctl keys list') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl keys change') subcommands='' flags='--help -h --out -o --add --remove --threshold --key -k --device --ca --sequence --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl keys sign') subcommands='' flags='--help -h --key -k --output --context --quiet -q --verbose -v --version' arguments='@file' ;;
    'mvctl keys inspect') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='@file' ;;
    'mvctl bundle') subcommands='create sign layout verify diff inspect' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl bundle create') subcommands='' flags='--help -h --out -o --board --key -k --encrypt-to --name --version --git-revision --base --debug-auth-pubkey --debug-key --halt-limit --connection-grace-time --minimum-check-in-time --maximum-politeness-time --minimum-kernel-version --minimum-restart-interval --maximum-restart-interval --include-stack-bytes --crash-region --faults --confirm-timeout --confirm-by --security-counter --output --context --quiet -q --verbose -v' arguments='@file' ;;
    'mvctl bundle sign') subcommands='' flags='--help -h --key -k --add --out -o --output --context --quiet -q --verbose -v --version' arguments='@file' ;;
    'mvctl bundle layout') subcommands='' flags='--help -h --before --linked --out -o --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl bundle verify') subcommands='' flags='--help -h --trust --signers --decryption-key --output --context --quiet -q --verbose -v --version' arguments='@file' ;;
    'mvctl bundle diff') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='@file' ;;
    'mvctl bundle inspect') subcommands='' flags='--help -h --decryption-key --output --context --quiet -q --verbose -v --version' arguments='@file' ;;
    'mvctl init') subcommands='' flags='--help -h --board --output --context --quiet -q --verbose -v --version' arguments='@directory' ;;
    'mvctl deploy') subcommands='' flags='--help -h --device -d --wait -w --timeout --log --force --build-only --bundle-out --elf --board --key -k --encrypt-to --name --version --git-revision --base --debug-auth-pubkey --debug-key --halt-limit --connection-grace-time --minimum-check-in-time --maximum-politeness-time --minimum-kernel-version --minimum-restart-interval --maximum-restart-interval --include-stack-bytes --crash-region --faults --confirm-timeout --confirm-by --security-counter --output --context --quiet -q --verbose -v' arguments='@file' ;;
    'mvctl debug') subcommands='' flags='--help -h --key -k --elf -e --sign-key --port -p --core --usb --serial --tty --baud --gdb --load --read-only --output --context --quiet -q --verbose -v --version' arguments='@devices' ;;
    'mvctl trace') subcommands='' flags='--help -h --key -k --elf -e --at -a --expr -x --if --count -n --for --output --context --quiet -q --verbose -v --version' arguments='@devices' ;;
    'mvctl crashes') subcommands='list show debug core' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl crashes list') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='@devices' ;;
    'mvctl crashes show') subcommands='' flags='--help -h --elf -e --output --context --quiet -q --verbose -v --version' arguments='@devices' ;;
    'mvctl crashes debug') subcommands='' flags='--help -h --elf -e --port -p --gdb --output --context --quiet -q --verbose -v --version' arguments='@devices' ;;
    'mvctl crashes core') subcommands='' flags='--help -h --elf -e --out -o --output --context --quiet -q --verbose -v --version' arguments='@devices' ;;
    'mvctl devices') subcommands='list show update restart provision keys delete' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl devices list') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl devices show') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='@devices' ;;
    'mvctl devices update') subcommands='' flags='--help -h --name --logging --output --context --quiet -q --verbose -v --version' arguments='@devices' ;;
    'mvctl devices restart') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='@devices' ;;
    'mvctl devices provision') subcommands='' flags='--help -h --board --out -o --decryption-key --signers --modem --wifi-ssid --wifi-passphrase-file --wifi-open --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl devices keys') subcommands='' flags='--help -h --change --none --wait -w --timeout --output --context --quiet -q --verbose -v --version' arguments='@devices' ;;
    'mvctl devices delete') subcommands='' flags='--help -h --yes -y --output --context --quiet -q --verbose -v --version' arguments='@devices' ;;
    'mvctl apps') subcommands='list show upload delete' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl apps list') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl apps show') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='@apps' ;;
    'mvctl apps upload') subcommands='' flags='--help -h --name --output --context --quiet -q --verbose -v --version' arguments='@file' ;;
    'mvctl apps delete') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='@apps' ;;
    'mvctl microvisor') subcommands='list upload deploy delete' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl microvisor list') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl microvisor upload') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='@file' ;;
    'mvctl microvisor deploy') subcommands='' flags='--help -h --image -i --none --force --trial --wait -w --timeout --output --context --quiet -q --verbose -v --version' arguments='@devices' ;;
    'mvctl microvisor delete') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl logs') subcommands='' flags='--help -h --since --follow -f --no-follow --output --context --quiet -q --verbose -v --version' arguments='@devices' ;;
    'mvctl events') subcommands='' flags='--help -h --device --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl signers') subcommands='list add delete' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl signers list') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl signers add') subcommands='' flags='--help -h --name --output --context --quiet -q --verbose -v --version' arguments='@keys' ;;
    'mvctl signers delete') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl context') subcommands='create use list show delete' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl context create') subcommands='' flags='--help -h --from --cloud --account --token-file --ca --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl context use') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='@contexts' ;;
    'mvctl context list') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl context show') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='@contexts' ;;
    'mvctl context delete') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='@contexts' ;;
    'mvctl emulator') subcommands='start run stop kill power-on modem console list delete' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl emulator start') subcommands='' flags='--help -h --delay --rate --firmware --board --dial --decryption-key --signers --modem --wifi-ssid --wifi-passphrase-file --wifi-open --output --context --quiet -q --verbose -v --version' arguments='@emulators' ;;
    'mvctl emulator run') subcommands='' flags='--help -h --delay --rate --firmware --output --context --quiet -q --verbose -v --version' arguments='@emulators' ;;
    'mvctl emulator stop') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='@emulators' ;;
    'mvctl emulator kill') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='@emulators' ;;
    'mvctl emulator power-on') subcommands='' flags='--help -h --cut-at --torn --output --context --quiet -q --verbose -v --version' arguments='@emulators' ;;
    'mvctl emulator modem') subcommands='' flags='--help -h --carrier-loss --carrier --wifi-loss --wifi --delay --rate --output --context --quiet -q --verbose -v --version' arguments='@emulators' ;;
    'mvctl emulator console') subcommands='' flags='--help -h --application --no-follow --output --context --quiet -q --verbose -v --version' arguments='@emulators' ;;
    'mvctl emulator list') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl emulator delete') subcommands='' flags='--help -h --yes --output --context --quiet -q --verbose -v --version' arguments='@emulators' ;;
    'mvctl usb') subcommands='list flash bridge' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl usb list') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl usb flash') subcommands='' flags='--help -h --image -i --identity --option-bytes --serial --verify-only --yes -y --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl usb bridge') subcommands='' flags='--help -h --tty --serial --all --baud --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl board') subcommands='selftest' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl board selftest') subcommands='' flags='--help -h --serial --tty --emulated --firmware --only --output --context --quiet -q --verbose -v --version' arguments='' ;;
    'mvctl completion') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='bash zsh fish' ;;
    'mvctl help') subcommands='' flags='--help -h --output --context --quiet -q --verbose -v --version' arguments='@commands' ;;
    *) return 1 ;;
  esac
}

_mvctl_values() {  # what the option $2 of the command $1 takes; fails for a flag
  values=''
  case "$1 $2" in
    'mvctl --output') values='text json' ;;
    'mvctl --context') values='@contexts' ;;
    'mvctl keys --output') values='text json' ;;
    'mvctl keys --context') values='@contexts' ;;
    'mvctl keys create --private-key') values='@file' ;;
    'mvctl keys create --debug-auth-privkey') values='@file' ;;
    'mvctl keys create --public-key') values='@file' ;;
    'mvctl keys create --debug-auth-pubkey') values='@file' ;;
    'mvctl keys create --output') values='text json' ;;
    'mvctl keys create --context') values='@contexts' ;;
    'mvctl keys show --output') values='text json' ;;
    'mvctl keys show --context') values='@contexts' ;;
    'mvctl keys list --output') values='text json' ;;
    'mvctl keys list --context') values='@contexts' ;;
    'mvctl keys change --out') values='@file' ;;
    'mvctl keys change -o') values='@file' ;;
    'mvctl keys change --add') values='@keys' ;;
    'mvctl keys change --remove') values='@keys' ;;
    'mvctl keys change --threshold') values='-' ;;
    'mvctl keys change --key') values='@keys' ;;
    'mvctl keys change -k') values='@keys' ;;
    'mvctl keys change --device') values='-' ;;
    'mvctl keys change --ca') values='@file' ;;
    'mvctl keys change --sequence') values='-' ;;
    'mvctl keys change --output') values='text json' ;;
    'mvctl keys change --context') values='@contexts' ;;
    'mvctl keys sign --key') values='@keys' ;;
    'mvctl keys sign -k') values='@keys' ;;
    'mvctl keys sign --output') values='text json' ;;
    'mvctl keys sign --context') values='@contexts' ;;
    'mvctl keys inspect --output') values='text json' ;;
    'mvctl keys inspect --context') values='@contexts' ;;
    'mvctl bundle --output') values='text json' ;;
    'mvctl bundle --context') values='@contexts' ;;
    'mvctl bundle create --out') values='@file' ;;
    'mvctl bundle create -o') values='@file' ;;
    'mvctl bundle create --board') values='-' ;;
    'mvctl bundle create --key') values='@keys' ;;
    'mvctl bundle create -k') values='@keys' ;;
    'mvctl bundle create --encrypt-to') values='@keys' ;;
    'mvctl bundle create --name') values='-' ;;
    'mvctl bundle create --version') values='-' ;;
    'mvctl bundle create --git-revision') values='-' ;;
    'mvctl bundle create --base') values='-' ;;
    'mvctl bundle create --debug-auth-pubkey') values='@keys' ;;
    'mvctl bundle create --debug-key') values='@keys' ;;
    'mvctl bundle create --halt-limit') values='-' ;;
    'mvctl bundle create --connection-grace-time') values='-' ;;
    'mvctl bundle create --minimum-check-in-time') values='-' ;;
    'mvctl bundle create --maximum-politeness-time') values='-' ;;
    'mvctl bundle create --minimum-kernel-version') values='-' ;;
    'mvctl bundle create --minimum-restart-interval') values='-' ;;
    'mvctl bundle create --maximum-restart-interval') values='-' ;;
    'mvctl bundle create --include-stack-bytes') values='-' ;;
    'mvctl bundle create --crash-region') values='-' ;;
    'mvctl bundle create --faults') values='capture reflect' ;;
    'mvctl bundle create --confirm-timeout') values='-' ;;
    'mvctl bundle create --confirm-by') values='contact application' ;;
    'mvctl bundle create --security-counter') values='-' ;;
    'mvctl bundle create --output') values='text json' ;;
    'mvctl bundle create --context') values='@contexts' ;;
    'mvctl bundle sign --key') values='@keys' ;;
    'mvctl bundle sign -k') values='@keys' ;;
    'mvctl bundle sign --out') values='@file' ;;
    'mvctl bundle sign -o') values='@file' ;;
    'mvctl bundle sign --output') values='text json' ;;
    'mvctl bundle sign --context') values='@contexts' ;;
    'mvctl bundle layout --before') values='@file' ;;
    'mvctl bundle layout --linked') values='@file' ;;
    'mvctl bundle layout --out') values='@directory' ;;
    'mvctl bundle layout -o') values='@directory' ;;
    'mvctl bundle layout --output') values='text json' ;;
    'mvctl bundle layout --context') values='@contexts' ;;
    'mvctl bundle verify --trust') values='@keys' ;;
    'mvctl bundle verify --signers') values='-' ;;
    'mvctl bundle verify --decryption-key') values='@keys' ;;
    'mvctl bundle verify --output') values='text json' ;;
    'mvctl bundle verify --context') values='@contexts' ;;
    'mvctl bundle diff --output') values='text json' ;;
    'mvctl bundle diff --context') values='@contexts' ;;
    'mvctl bundle inspect --decryption-key') values='@keys' ;;
    'mvctl bundle inspect --output') values='text json' ;;
    'mvctl bundle inspect --context') values='@contexts' ;;
    'mvctl init --board') values='-' ;;
    'mvctl init --output') values='text json' ;;
    'mvctl init --context') values='@contexts' ;;
    'mvctl deploy --device') values='@devices' ;;
    'mvctl deploy -d') values='@devices' ;;
    'mvctl deploy --timeout') values='-' ;;
    'mvctl deploy --bundle-out') values='@file' ;;
    'mvctl deploy --elf') values='-' ;;
    'mvctl deploy --board') values='-' ;;
    'mvctl deploy --key') values='@keys' ;;
    'mvctl deploy -k') values='@keys' ;;
    'mvctl deploy --encrypt-to') values='@keys' ;;
    'mvctl deploy --name') values='-' ;;
    'mvctl deploy --version') values='-' ;;
    'mvctl deploy --git-revision') values='-' ;;
    'mvctl deploy --base') values='-' ;;
    'mvctl deploy --debug-auth-pubkey') values='@keys' ;;
    'mvctl deploy --debug-key') values='@keys' ;;
    'mvctl deploy --halt-limit') values='-' ;;
    'mvctl deploy --connection-grace-time') values='-' ;;
    'mvctl deploy --minimum-check-in-time') values='-' ;;
    'mvctl deploy --maximum-politeness-time') values='-' ;;
    'mvctl deploy --minimum-kernel-version') values='-' ;;
    'mvctl deploy --minimum-restart-interval') values='-' ;;
    'mvctl deploy --maximum-restart-interval') values='-' ;;
    'mvctl deploy --include-stack-bytes') values='-' ;;
    'mvctl deploy --crash-region') values='-' ;;
    'mvctl deploy --faults') values='capture reflect' ;;
    'mvctl deploy --confirm-timeout') values='-' ;;
    'mvctl deploy --confirm-by') values='contact application' ;;
    'mvctl deploy --security-counter') values='-' ;;
    'mvctl deploy --output') values='text json' ;;
    'mvctl deploy --context') values='@contexts' ;;
    'mvctl debug --key') values='@keys' ;;
    'mvctl debug -k') values='@keys' ;;
    'mvctl debug --elf') values='@file' ;;
    'mvctl debug -e') values='@file' ;;
    'mvctl debug --sign-key') values='@keys' ;;
    'mvctl debug --port') values='-' ;;
    'mvctl debug -p') values='-' ;;
    'mvctl debug --core') values='@file' ;;
    'mvctl debug --serial') values='-' ;;
    'mvctl debug --tty') values='@file' ;;
    'mvctl debug --baud') values='-' ;;
    'mvctl debug --output') values='text json' ;;
    'mvctl debug --context') values='@contexts' ;;
    'mvctl trace --key') values='@keys' ;;
    'mvctl trace -k') values='@keys' ;;
    'mvctl trace --elf') values='@file' ;;
    'mvctl trace -e') values='@file' ;;
    'mvctl trace --at') values='-' ;;
    'mvctl trace -a') values='-' ;;
    'mvctl trace --expr') values='-' ;;
    'mvctl trace -x') values='-' ;;
    'mvctl trace --if') values='-' ;;
    'mvctl trace --count') values='-' ;;
    'mvctl trace -n') values='-' ;;
    'mvctl trace --for') values='-' ;;
    'mvctl trace --output') values='text json' ;;
    'mvctl trace --context') values='@contexts' ;;
    'mvctl crashes --output') values='text json' ;;
    'mvctl crashes --context') values='@contexts' ;;
    'mvctl crashes list --output') values='text json' ;;
    'mvctl crashes list --context') values='@contexts' ;;
    'mvctl crashes show --elf') values='@file' ;;
    'mvctl crashes show -e') values='@file' ;;
    'mvctl crashes show --output') values='text json' ;;
    'mvctl crashes show --context') values='@contexts' ;;
    'mvctl crashes debug --elf') values='@file' ;;
    'mvctl crashes debug -e') values='@file' ;;
    'mvctl crashes debug --port') values='-' ;;
    'mvctl crashes debug -p') values='-' ;;
    'mvctl crashes debug --output') values='text json' ;;
    'mvctl crashes debug --context') values='@contexts' ;;
    'mvctl crashes core --elf') values='@file' ;;
    'mvctl crashes core -e') values='@file' ;;
    'mvctl crashes core --out') values='@file' ;;
    'mvctl crashes core -o') values='@file' ;;
    'mvctl crashes core --output') values='text json' ;;
    'mvctl crashes core --context') values='@contexts' ;;
    'mvctl devices --output') values='text json' ;;
    'mvctl devices --context') values='@contexts' ;;
    'mvctl devices list --output') values='text json' ;;
    'mvctl devices list --context') values='@contexts' ;;
    'mvctl devices show --output') values='text json' ;;
    'mvctl devices show --context') values='@contexts' ;;
    'mvctl devices update --name') values='-' ;;
    'mvctl devices update --logging') values='on off' ;;
    'mvctl devices update --output') values='text json' ;;
    'mvctl devices update --context') values='@contexts' ;;
    'mvctl devices restart --output') values='text json' ;;
    'mvctl devices restart --context') values='@contexts' ;;
    'mvctl devices provision --board') values='-' ;;
    'mvctl devices provision --out') values='@file' ;;
    'mvctl devices provision -o') values='@file' ;;
    'mvctl devices provision --decryption-key') values='@keys' ;;
    'mvctl devices provision --signers') values='-' ;;
    'mvctl devices provision --modem') values='quectel esp-at' ;;
    'mvctl devices provision --wifi-ssid') values='-' ;;
    'mvctl devices provision --wifi-passphrase-file') values='@file' ;;
    'mvctl devices provision --output') values='text json' ;;
    'mvctl devices provision --context') values='@contexts' ;;
    'mvctl devices keys --change') values='@file' ;;
    'mvctl devices keys --timeout') values='-' ;;
    'mvctl devices keys --output') values='text json' ;;
    'mvctl devices keys --context') values='@contexts' ;;
    'mvctl devices delete --output') values='text json' ;;
    'mvctl devices delete --context') values='@contexts' ;;
    'mvctl apps --output') values='text json' ;;
    'mvctl apps --context') values='@contexts' ;;
    'mvctl apps list --output') values='text json' ;;
    'mvctl apps list --context') values='@contexts' ;;
    'mvctl apps show --output') values='text json' ;;
    'mvctl apps show --context') values='@contexts' ;;
    'mvctl apps upload --name') values='-' ;;
    'mvctl apps upload --output') values='text json' ;;
    'mvctl apps upload --context') values='@contexts' ;;
    'mvctl apps delete --output') values='text json' ;;
    'mvctl apps delete --context') values='@contexts' ;;
    'mvctl microvisor --output') values='text json' ;;
    'mvctl microvisor --context') values='@contexts' ;;
    'mvctl microvisor list --output') values='text json' ;;
    'mvctl microvisor list --context') values='@contexts' ;;
    'mvctl microvisor upload --output') values='text json' ;;
    'mvctl microvisor upload --context') values='@contexts' ;;
    'mvctl microvisor deploy --image') values='-' ;;
    'mvctl microvisor deploy -i') values='-' ;;
    'mvctl microvisor deploy --trial') values='-' ;;
    'mvctl microvisor deploy --timeout') values='-' ;;
    'mvctl microvisor deploy --output') values='text json' ;;
    'mvctl microvisor deploy --context') values='@contexts' ;;
    'mvctl microvisor delete --output') values='text json' ;;
    'mvctl microvisor delete --context') values='@contexts' ;;
    'mvctl logs --since') values='-' ;;
    'mvctl logs --output') values='text json' ;;
    'mvctl logs --context') values='@contexts' ;;
    'mvctl events --device') values='@devices' ;;
    'mvctl events --output') values='text json' ;;
    'mvctl events --context') values='@contexts' ;;
    'mvctl signers --output') values='text json' ;;
    'mvctl signers --context') values='@contexts' ;;
    'mvctl signers list --output') values='text json' ;;
    'mvctl signers list --context') values='@contexts' ;;
    'mvctl signers add --name') values='-' ;;
    'mvctl signers add --output') values='text json' ;;
    'mvctl signers add --context') values='@contexts' ;;
    'mvctl signers delete --output') values='text json' ;;
    'mvctl signers delete --context') values='@contexts' ;;
    'mvctl context --output') values='text json' ;;
    'mvctl context --context') values='@contexts' ;;
    'mvctl context create --from') values='@file' ;;
    'mvctl context create --cloud') values='-' ;;
    'mvctl context create --account') values='-' ;;
    'mvctl context create --token-file') values='@file' ;;
    'mvctl context create --ca') values='@file' ;;
    'mvctl context create --output') values='text json' ;;
    'mvctl context create --context') values='@contexts' ;;
    'mvctl context use --output') values='text json' ;;
    'mvctl context use --context') values='@contexts' ;;
    'mvctl context list --output') values='text json' ;;
    'mvctl context list --context') values='@contexts' ;;
    'mvctl context show --output') values='text json' ;;
    'mvctl context show --context') values='@contexts' ;;
    'mvctl context delete --output') values='text json' ;;
    'mvctl context delete --context') values='@contexts' ;;
    'mvctl emulator --output') values='text json' ;;
    'mvctl emulator --context') values='@contexts' ;;
    'mvctl emulator start --delay') values='-' ;;
    'mvctl emulator start --rate') values='-' ;;
    'mvctl emulator start --firmware') values='@directory' ;;
    'mvctl emulator start --board') values='-' ;;
    'mvctl emulator start --dial') values='-' ;;
    'mvctl emulator start --decryption-key') values='@keys' ;;
    'mvctl emulator start --signers') values='-' ;;
    'mvctl emulator start --modem') values='quectel esp-at' ;;
    'mvctl emulator start --wifi-ssid') values='-' ;;
    'mvctl emulator start --wifi-passphrase-file') values='@file' ;;
    'mvctl emulator start --output') values='text json' ;;
    'mvctl emulator start --context') values='@contexts' ;;
    'mvctl emulator run --delay') values='-' ;;
    'mvctl emulator run --rate') values='-' ;;
    'mvctl emulator run --firmware') values='@directory' ;;
    'mvctl emulator run --output') values='text json' ;;
    'mvctl emulator run --context') values='@contexts' ;;
    'mvctl emulator stop --output') values='text json' ;;
    'mvctl emulator stop --context') values='@contexts' ;;
    'mvctl emulator kill --output') values='text json' ;;
    'mvctl emulator kill --context') values='@contexts' ;;
    'mvctl emulator power-on --cut-at') values='-' ;;
    'mvctl emulator power-on --output') values='text json' ;;
    'mvctl emulator power-on --context') values='@contexts' ;;
    'mvctl emulator modem --carrier-loss') values='-' ;;
    'mvctl emulator modem --carrier') values='on off' ;;
    'mvctl emulator modem --wifi-loss') values='-' ;;
    'mvctl emulator modem --wifi') values='up down silent refuses' ;;
    'mvctl emulator modem --delay') values='-' ;;
    'mvctl emulator modem --rate') values='-' ;;
    'mvctl emulator modem --output') values='text json' ;;
    'mvctl emulator modem --context') values='@contexts' ;;
    'mvctl emulator console --output') values='text json' ;;
    'mvctl emulator console --context') values='@contexts' ;;
    'mvctl emulator list --output') values='text json' ;;
    'mvctl emulator list --context') values='@contexts' ;;
    'mvctl emulator delete --output') values='text json' ;;
    'mvctl emulator delete --context') values='@contexts' ;;
    'mvctl usb --output') values='text json' ;;
    'mvctl usb --context') values='@contexts' ;;
    'mvctl usb list --output') values='text json' ;;
    'mvctl usb list --context') values='@contexts' ;;
    'mvctl usb flash --image') values='@file' ;;
    'mvctl usb flash -i') values='@file' ;;
    'mvctl usb flash --identity') values='@file' ;;
    'mvctl usb flash --option-bytes') values='@file' ;;
    'mvctl usb flash --serial') values='-' ;;
    'mvctl usb flash --output') values='text json' ;;
    'mvctl usb flash --context') values='@contexts' ;;
    'mvctl usb bridge --tty') values='@file' ;;
    'mvctl usb bridge --serial') values='-' ;;
    'mvctl usb bridge --baud') values='-' ;;
    'mvctl usb bridge --output') values='text json' ;;
    'mvctl usb bridge --context') values='@contexts' ;;
    'mvctl board --output') values='text json' ;;
    'mvctl board --context') values='@contexts' ;;
    'mvctl board selftest --serial') values='-' ;;
    'mvctl board selftest --tty') values='@file' ;;
    'mvctl board selftest --firmware') values='@directory' ;;
    'mvctl board selftest --only') values='-' ;;
    'mvctl board selftest --output') values='text json' ;;
    'mvctl board selftest --context') values='@contexts' ;;
    'mvctl completion --output') values='text json' ;;
    'mvctl completion --context') values='@contexts' ;;
    'mvctl help --output') values='text json' ;;
    'mvctl help --context') values='@contexts' ;;
    *) return 1 ;;
  esac
}

_mvctl_names() {  # the first column of a list
  mvctl "$@" --quiet 2>/dev/null </dev/null | awk 'NR > 1 { print ($1 == "*" ? $2 : $1) }'
}

_mvctl_expand() {  # words for what $1 says
  case "$1" in
    @devices) _mvctl_names devices ;;
    @apps) _mvctl_names apps list ;;
    @contexts) _mvctl_names context list ;;
    @emulators) _mvctl_names emulator list ;;
    @keys) _mvctl_names keys list ;;
    @commands) _mvctl_command mvctl; printf '%s\n' "$subcommands" ;;
    -) ;;
    *) printf '%s\n' "$1" ;;
  esac
}

_mvctl_find() {  # sets command to what the words $@ name
  command=mvctl
  local word skip=''
  for word in "$@"; do
    if [ -n "$skip" ]; then skip=''; continue; fi
    case "$word" in
      -*) _mvctl_values "$command" "$word" && skip=1 ;;
      *) _mvctl_command "$command $word" && command="$command $word" ;;
    esac
  done
  _mvctl_command "$command"
}

_mvctl() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD - 1]}"
  local command subcommands flags arguments values offer
  COMPREPLY=()
  _mvctl_find "${COMP_WORDS[@]:1:COMP_CWORD-1}"
  if _mvctl_values "$command" "$previous"; then
    offer="$values"
  elif [ "${current#-}" != "$current" ]; then
    offer="$flags"
  else
    offer="${subcommands:-$arguments}"
  fi
  case "$offer" in
    @file | @keys) compopt -o filenames; COMPREPLY=($(compgen -f -- "$current")) ;;
    @directory) compopt -o filenames; COMPREPLY=($(compgen -d -- "$current")) ;;
  esac
  case "$offer" in
    @file | @directory) ;;
    *) COMPREPLY+=($(compgen -W "$(_mvctl_expand "$offer")" -- "$current")) ;;
  esac
}

complete -F _mvctl mvctl
