document.getElementById("viewer")?.append("自席 ビューア");
