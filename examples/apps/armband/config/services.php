<?php

return ['sms' => ['url' => 'https://gateway.seven.io/api/sms', 'key' => env('SMS_API_KEY')]];
