using System.Diagnostics;
using System.Runtime.CompilerServices;
using Bunit;
using Bunit.Extensions.WaitForHelpers;
using Microsoft.AspNetCore.Components;

namespace Dashboard.Web.Tests;

/// <summary>Conditions in components are awaited for long: a busy computer is not a failure.</summary>
internal static class Patience
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    [ModuleInitializer]
    internal static void Set() => BunitContext.DefaultWaitTimeout = Long;

    /// <summary>Returns once the assertion holds. bUnit looks again only when something renders, and a render that falls into a look is missed; so it is asked again and again.</summary>
    public static void WaitForAssertion<T>(this IRenderedComponent<T> component, Action assertion)
        where T : IComponent
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                RenderedComponentWaitForHelperExtensions.WaitForAssertion(component, assertion, Again);
                return;
            }
            catch (WaitForFailedException) when (clock.Elapsed < Long)
            {
                // looked at anew
            }
        }
    }
}
