// 150 iris flowers of three kinds. Made by tools/data/make-tabular.mjs; do not edit.
// Source: Iris, R. A. Fisher, UCI Machine Learning Repository (1936), https://doi.org/10.24432/C56C76, licence CC BY 4.0;
// the copy that scikit-learn distributes. Repacked: each column as whole numbers in as few bits as it needs, base64.

export const COUNT = 150;
/** For each column, the target last: 10^decimals, least number, bits a number. */
export const COLUMNS = [[10,43,6],[10,20,5],[10,10,6],[10,1,5],[1,0,2]] as const;
export const DATA = 'iEEMxzIcgbEUBfA4C+IgCzIgxXEkCVEsCWMcjBEghxAcSIEMyrFVGmM5lHElBxRJDdY8UwNJlFRdGRY5DPNES4RRDcNIz9E4zoQ41MNRVmh4WGdVmfNUlihGWiNSWDdJVfeRFSWJVBVpmPZkGEZZE/QUW3A6l1Z0SlE8n5QuwuaUe44tV+1iDyr3BntSSRYbY2sg1Eg6QImUljqiMFRQUkglQ8g5yq2hilFmHJVSQe2opFRJBbKjCmJKGsEQOo0hhRSSCBnlllprHdZUUU4RxFAQB1EQRWEQgVAMxFEcBXAkhlEQhlEURCEMxFAMw2AkhEEURDmeHjmWF9lloFdq4viNnemdZSia6JhxW5eOYyl+nkh6FwiCIfXJaezC+FjDc7q2aLq2+Y6+Z36+snm68Gy7qTu7rcm6aRq/KqqyaQghhCFCACEAEMYQQoQRSAgjhBAGCCEEEIIQoQwRQgjNOebYS6wllxprLjkVmVusNeiSSuu55xhjq63EFmOKYUljpTBGPCWd18ZqnZ0z0hgjfXJW1+yNkV4rLbZy2ggAAAAAAAAAAAAAAABVVVVVVVVVVVVVVVWlqqqqqqqqqqqqqqqq';
