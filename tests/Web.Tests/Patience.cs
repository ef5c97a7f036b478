using System.Runtime.CompilerServices;
using Bunit;

namespace Dashboard.Web.Tests;

/// <summary>Conditions in components are awaited for long: a busy computer is not a failure.</summary>
internal static class Patience
{
    [ModuleInitializer]
    internal static void Set() => BunitContext.DefaultWaitTimeout = TimeSpan.FromMinutes(1);
}
