# Deletes artifacts side by side. What follows defines delete_1, delete_2, …, and ends with a line `remove …` for each. Only
# of what could not be deleted a line is said: `INDEX failed MESSAGE`.
set -u

# remove INDEX
remove() {
    "describe_$1"
    try "delete_$1" || [ $kind = absent ] || say "$1" failed "$why"
}
