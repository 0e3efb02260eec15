// The 21 classes of Pascal VOC 2012, with the background, written by tools/data/class_names.py from torchvision's _meta.py.

export const names: string =
  '__background__|aeroplane|bicycle|bird|boat|bottle|bus|car|cat|chair|cow|diningtable|dog|horse|motorbike|person|' +
  'pottedplant|sheep|sofa|train|tvmonitor';
