<?php

return [
    'name' => env('APP_NAME', 'armband'),
    'env' => env('APP_ENV', 'production'),
    'debug' => (bool) env('APP_DEBUG', false),
    'url' => env('APP_URL'),
    'timezone' => 'UTC',
    'key' => env('APP_KEY'),
];
