package hookproof

// Impatient is for tests of runs that end by a deadline.
var Impatient = impatient
