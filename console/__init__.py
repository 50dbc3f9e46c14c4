"""What people touch: the `bauta` command line. It reaches media only through the service.

main         the command line put together; errors become exit codes in one place
output       results on stdout (text or --json), progress on stderr
paths        where data lies
supervisor   starts vault, worker host and front desk, each with the descriptors it may have
custody      who keeps the vault's master key, from the options of `bauta serve`
embedded     a service for the length of a command
sending      the way to a service, for every command that hands a job in
opening      the secrets with which a submitter later shows what the original was
source_*     what a submission says of its source, and what a proof of the source shows
review/      the review sheet as one page
log_server   the log's static files over HTTP; witness_* a witness of the logs of others
commands/    one module a command
"""
