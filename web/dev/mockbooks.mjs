// SPDX-License-Identifier: AGPL-3.0-or-later
// The mock's codebooks: those of data/codebooks where they are, and the codes its own data uses.
const book = (name, pairs) => ({ name, version: 'mock', values: pairs.map(([code, label, parent]) => ({ code, label, ...(parent ? { parent } : {}) })) });

export function booksOf(lang, own) {
  const names = new Intl.DisplayNames([lang], { type: 'region' });
  const two = { LBY: 'LY', TUN: 'TN', ITA: 'IT', MAR: 'MA', DZA: 'DZ', ESP: 'ES', GRC: 'GR', TUR: 'TR', MRT: 'MR', SEN: 'SN', NER: 'NE', SDN: 'SD', TCD: 'TD', DJI: 'DJ', YEM: 'YE', SOM: 'SO', MMR: 'MM', BGD: 'BD', THA: 'TH', IDN: 'ID', MEX: 'MX', USA: 'US', PAN: 'PA', COL: 'CO', HTI: 'HT', DOM: 'DO', CUB: 'CU', IRN: 'IR', AFG: 'AF', PAK: 'PK', FRA: 'FR', GBR: 'GB', SRB: 'RS', BIH: 'BA', MKD: 'MK', HRV: 'HR' };
  return [
    book('route', own.route), book('cause', own.cause), book('means', own.means),
    book('country', Object.entries(two).map(([a3, a2]) => [a3, names.of(a2)])),
    book('need', [['medical', 'Medical care'], ['child_alone', 'Child alone'], ['danger', 'In danger'], ['asylum', 'Wish to ask for asylum'], ['pregnant', 'Pregnant']]),
    book('incident_type', [['irregular_entry_attempt', 'Irregular entry, attempted'], ['irregular_entry', 'Irregular entry'], ['facilitator_interception', 'Facilitator intercepted'], ['other', 'Other']]),
    book('precision', [['exact', 'Exact'], ['approximate', 'About'], ['area', 'An area']]),
    book('sex', [['female', 'Female'], ['male', 'Male'], ['other', 'Other'], ['unknown', 'Unknown']]),
    book('age_band', [['adult', 'Adult'], ['child', 'Child'], ['unknown', 'Unknown']]),
  ];
}
