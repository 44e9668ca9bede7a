// Package browsertest has tests that use the example sites as people do, in Chromium.
// It is a module of its own, so that Retort does not depend on what drives the browser.
//
// CHROMIUM names the browser, and SCREENSHOTS a folder for pictures of the pages, at two
// widths, light and dark. With AXE, the path of axe-core's script, pages are examined by it
// at these, as `make axe` does.
package browsertest
