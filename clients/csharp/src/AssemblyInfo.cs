using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("AsyncPipe.Tests")] // which counts the library's open handles
