# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_conductor_global_optspecs
    string join \n user h/help V/version
end

function __fish_conductor_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_conductor_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_conductor_using_subcommand
    set -l cmd (__fish_conductor_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c conductor -n "__fish_conductor_needs_command" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_needs_command" -s V -l version -d 'Print version'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "check" -d 'Check definitions and show everything that is wrong with them'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "generate" -d 'Show the systemd units that definitions become'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "diff" -d 'Show what would change in the units if systemd were reloaded now'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "status" -d 'Show services and what their containers are doing'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "logs" -d 'Show what a service\'s containers have written'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "exec" -d 'Run a command in a service\'s running container'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "run" -d 'Run a command once in a container like the service\'s'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "deploy" -d 'Bring a new release of a service in'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "rollback" -d 'Bring an earlier release back'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "promote" -d 'Let a release go on that waits in a stage'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "restart" -d 'Restart a service, one instance at a time'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "abort" -d 'End a deploy: one that runs, one that waits in a stage, or what is left of one that was interrupted'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "history" -d 'Show the deploys of a service'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "guard" -d 'Look after a release that comes in by stages: take it back if it gets unhealthy while it waits, and clear up after commands that are killed'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "enable" -d 'Have a service start at boot'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "disable" -d 'Have a service not start at boot'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "proxy" -d 'What nginx and HAProxy are told of services'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "schema" -d 'Print the JSON Schema of a kind of file, for editors'
complete -c conductor -n "__fish_conductor_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c conductor -n "__fish_conductor_using_subcommand check" -l root -d 'Use the machine, or the image of one, below this directory' -r -F
complete -c conductor -n "__fish_conductor_using_subcommand check" -l format -d 'For people, or for editors and scripts' -r -f -a "text\t'With the lines of the definition, on stderr'
json\t'One JSON object a line, on stdout'"
complete -c conductor -n "__fish_conductor_using_subcommand check" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand generate" -l root -d 'Use the machine, or the image of one, below this directory' -r -F
complete -c conductor -n "__fish_conductor_using_subcommand generate" -s o -l output -d 'Write the units below this directory instead of printing them' -r -F
complete -c conductor -n "__fish_conductor_using_subcommand generate" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand diff" -l root -d 'Use the machine, or the image of one, below this directory' -r -F
complete -c conductor -n "__fish_conductor_using_subcommand diff" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand status" -l root -d 'Use the machine, or the image of one, below this directory' -r -F
complete -c conductor -n "__fish_conductor_using_subcommand status" -l json -d 'For scripts'
complete -c conductor -n "__fish_conductor_using_subcommand status" -s w -l watch -d 'Show it again whenever something changes, at the latest every two seconds; Ctrl-C ends it'
complete -c conductor -n "__fish_conductor_using_subcommand status" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand logs" -s n -l lines -d 'Show the last N lines; `all` shows every one, even with --follow' -r
complete -c conductor -n "__fish_conductor_using_subcommand logs" -s S -l since -d 'Begin here, such as `today`, `-1h` or `2026-11-22 04:00`; see systemd.time(7)' -r
complete -c conductor -n "__fish_conductor_using_subcommand logs" -s i -l instance -d 'Only the container of this number' -r
complete -c conductor -n "__fish_conductor_using_subcommand logs" -l root -d 'Use the machine, or the image of one, below this directory' -r -F
complete -c conductor -n "__fish_conductor_using_subcommand logs" -s f -l follow -d 'Show new lines as they are written'
complete -c conductor -n "__fish_conductor_using_subcommand logs" -s a -l all -d 'The health checker and the fetching of the image too'
complete -c conductor -n "__fish_conductor_using_subcommand logs" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand exec" -s i -l instance -d 'The container of this number; needed where there are several' -r
complete -c conductor -n "__fish_conductor_using_subcommand exec" -l root -d 'Use the machine, or the image of one, below this directory' -r -F
complete -c conductor -n "__fish_conductor_using_subcommand exec" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand exec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand run" -s e -l env -d 'A further variable of its environment; wins over the definition\'s' -r
complete -c conductor -n "__fish_conductor_using_subcommand run" -l entrypoint -d 'The program, in place of the definition\'s or the image\'s entry point' -r
complete -c conductor -n "__fish_conductor_using_subcommand run" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand deploy" -l revision -d 'What the release is called, in place of the definition\'s `revision`' -r
complete -c conductor -n "__fish_conductor_using_subcommand deploy" -l image -d 'Its image, in place of the definition\'s' -r
complete -c conductor -n "__fish_conductor_using_subcommand deploy" -l dark -d 'Leave the release in the dark first, for those who know the door'
complete -c conductor -n "__fish_conductor_using_subcommand deploy" -l canary -d 'Have a canary first, although the definition has none'
complete -c conductor -n "__fish_conductor_using_subcommand deploy" -l no-canary -d 'Have none, although the definition has one'
complete -c conductor -n "__fish_conductor_using_subcommand deploy" -l dry-run -d 'Show what would be done, and do nothing: the image, the steps, and how units and the proxy\'s file would change'
complete -c conductor -n "__fish_conductor_using_subcommand deploy" -l json -d 'One JSON object a line on stdout, for each thing that happens'
complete -c conductor -n "__fish_conductor_using_subcommand deploy" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand deploy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand rollback" -l to -d 'The last release of this name instead of the one before the live one' -r
complete -c conductor -n "__fish_conductor_using_subcommand rollback" -l dry-run -d 'Show what would be done, and do nothing: the image, the steps, and how units and the proxy\'s file would change'
complete -c conductor -n "__fish_conductor_using_subcommand rollback" -l json -d 'One JSON object a line on stdout, for each thing that happens'
complete -c conductor -n "__fish_conductor_using_subcommand rollback" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand rollback" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand promote" -l json -d 'One JSON object a line on stdout, for each thing that happens'
complete -c conductor -n "__fish_conductor_using_subcommand promote" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand promote" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand restart" -l json -d 'One JSON object a line on stdout, for each thing that happens'
complete -c conductor -n "__fish_conductor_using_subcommand restart" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand restart" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand abort" -l json -d 'One JSON object a line on stdout, for each thing that happens'
complete -c conductor -n "__fish_conductor_using_subcommand abort" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand abort" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand history" -l json -d 'One JSON object a line'
complete -c conductor -n "__fish_conductor_using_subcommand history" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand history" -s h -l help -d 'Print help'
complete -c conductor -n "__fish_conductor_using_subcommand guard" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand guard" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand enable" -l root -d 'Use the machine, or the image of one, below this directory' -r -F
complete -c conductor -n "__fish_conductor_using_subcommand enable" -l now -d 'Reload systemd, and start or stop the services at once'
complete -c conductor -n "__fish_conductor_using_subcommand enable" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand enable" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand disable" -l root -d 'Use the machine, or the image of one, below this directory' -r -F
complete -c conductor -n "__fish_conductor_using_subcommand disable" -l now -d 'Reload systemd, and start or stop the services at once'
complete -c conductor -n "__fish_conductor_using_subcommand disable" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand disable" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand proxy; and not __fish_seen_subcommand_from render help" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand proxy; and not __fish_seen_subcommand_from render help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand proxy; and not __fish_seen_subcommand_from render help" -f -a "render" -d 'Write the files that nginx and HAProxy read when they start'
complete -c conductor -n "__fish_conductor_using_subcommand proxy; and not __fish_seen_subcommand_from render help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c conductor -n "__fish_conductor_using_subcommand proxy; and __fish_seen_subcommand_from render" -l root -d 'Use the machine, or the image of one, below this directory' -r -F
complete -c conductor -n "__fish_conductor_using_subcommand proxy; and __fish_seen_subcommand_from render" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand proxy; and __fish_seen_subcommand_from render" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand proxy; and __fish_seen_subcommand_from help" -f -a "render" -d 'Write the files that nginx and HAProxy read when they start'
complete -c conductor -n "__fish_conductor_using_subcommand proxy; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c conductor -n "__fish_conductor_using_subcommand schema" -l drop-in -d 'That of a drop-in, in which any key may be missing'
complete -c conductor -n "__fish_conductor_using_subcommand schema" -l user -d 'Your own services, which your own systemd runs without root, instead of the machine\'s'
complete -c conductor -n "__fish_conductor_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "check" -d 'Check definitions and show everything that is wrong with them'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "generate" -d 'Show the systemd units that definitions become'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "diff" -d 'Show what would change in the units if systemd were reloaded now'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "status" -d 'Show services and what their containers are doing'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "logs" -d 'Show what a service\'s containers have written'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "exec" -d 'Run a command in a service\'s running container'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "run" -d 'Run a command once in a container like the service\'s'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "deploy" -d 'Bring a new release of a service in'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "rollback" -d 'Bring an earlier release back'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "promote" -d 'Let a release go on that waits in a stage'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "restart" -d 'Restart a service, one instance at a time'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "abort" -d 'End a deploy: one that runs, one that waits in a stage, or what is left of one that was interrupted'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "history" -d 'Show the deploys of a service'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "guard" -d 'Look after a release that comes in by stages: take it back if it gets unhealthy while it waits, and clear up after commands that are killed'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "enable" -d 'Have a service start at boot'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "disable" -d 'Have a service not start at boot'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "proxy" -d 'What nginx and HAProxy are told of services'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "schema" -d 'Print the JSON Schema of a kind of file, for editors'
complete -c conductor -n "__fish_conductor_using_subcommand help; and not __fish_seen_subcommand_from check generate diff status logs exec run deploy rollback promote restart abort history guard enable disable proxy schema help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c conductor -n "__fish_conductor_using_subcommand help; and __fish_seen_subcommand_from proxy" -f -a "render" -d 'Write the files that nginx and HAProxy read when they start'
