<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Found a child?</title>@vite('resources/js/app.js')</head>
<body>
  <h1>Found a child?</h1>
  <form method="post" action="/found">@csrf <label>Number on the wristband <input name="number" inputmode="numeric" required></label> <button>Call</button></form>
</body>
</html>
