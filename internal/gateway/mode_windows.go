package gateway

// modesCount says that file modes keep others out.
const modesCount = false
