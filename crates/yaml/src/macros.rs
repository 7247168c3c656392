/// Builds a [`crate::Value`] from JSON-like text. Keys are literals or expressions in parentheses, values are
/// literals, `null`, nested lists and objects, or any expression that turns into a [`crate::Value`].
///
/// ```
/// let name = "app";
/// let pod = lotse_yaml::value!({
///     "kind": "Pod",
///     "metadata": { "name": name, "labels": { (format!("{name}/role")): "web" } },
///     "spec": { "containers": [{ "name": name, "ports": [80, 443] }], "nodeName": null },
/// });
/// assert_eq!(pod.pointer("/metadata/labels/app~1role").and_then(|v| v.as_str()), Some("web"));
/// ```
#[macro_export]
macro_rules! value {
    (null) => { $crate::Value::Null };
    ([ $($items:tt)* ]) => {{
        #[allow(unused_mut, reason = "an empty list is not changed")]
        let mut items: ::std::vec::Vec<$crate::Value> = ::std::vec::Vec::new();
        $crate::value!(@items items $($items)*);
        $crate::Value::Array(items)
    }};
    ({ $($entries:tt)* }) => {{
        #[allow(unused_mut, reason = "an empty object is not changed")]
        let mut map = $crate::Map::new();
        $crate::value!(@entries map $($entries)*);
        $crate::Value::Object(map)
    }};

    (@items $items:ident) => {};
    (@items $items:ident null $(, $($rest:tt)*)?) => {
        $items.extend([$crate::Value::Null]); $crate::value!(@items $items $($($rest)*)?);
    };
    (@items $items:ident [ $($inner:tt)* ] $(, $($rest:tt)*)?) => {
        $items.extend([$crate::value!([ $($inner)* ])]); $crate::value!(@items $items $($($rest)*)?);
    };
    (@items $items:ident { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        $items.extend([$crate::value!({ $($inner)* })]); $crate::value!(@items $items $($($rest)*)?);
    };
    (@items $items:ident $value:expr $(, $($rest:tt)*)?) => {
        $items.extend([$crate::Value::from($value)]); $crate::value!(@items $items $($($rest)*)?);
    };

    (@entries $map:ident) => {};
    (@entries $map:ident ($key:expr) : $($rest:tt)*) => { $crate::value!(@entry $map $key, $($rest)*); };
    (@entries $map:ident $key:literal : $($rest:tt)*) => { $crate::value!(@entry $map $key, $($rest)*); };
    (@entry $map:ident $key:expr, null $(, $($rest:tt)*)?) => {
        $map.insert($key, $crate::Value::Null); $crate::value!(@entries $map $($($rest)*)?);
    };
    (@entry $map:ident $key:expr, [ $($inner:tt)* ] $(, $($rest:tt)*)?) => {
        $map.insert($key, $crate::value!([ $($inner)* ])); $crate::value!(@entries $map $($($rest)*)?);
    };
    (@entry $map:ident $key:expr, { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        $map.insert($key, $crate::value!({ $($inner)* })); $crate::value!(@entries $map $($($rest)*)?);
    };
    (@entry $map:ident $key:expr, $value:expr $(, $($rest:tt)*)?) => {
        $map.insert($key, $crate::Value::from($value)); $crate::value!(@entries $map $($($rest)*)?);
    };

    ($value:expr) => { $crate::Value::from($value) };
}
