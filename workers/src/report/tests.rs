use hirenet_core::{BundleKind, Code, Reason};
use hirenet_tests::assessment::{partial, refused, scored};

use super::*;

fn page(assessment: &Assessment) -> String {
    render(assessment, &ReportOptions::default()).unwrap()
}

#[test]
fn the_same_assessment_gives_the_same_bytes() {
    assert_eq!(page(&partial()), page(&partial()));
}

#[test]
fn every_reason_is_shown_with_its_sentence_and_advice() {
    let mut assessment = partial();
    assessment.reasons = Code::ALL.iter().map(|code| Reason::new(*code)).collect();
    let page = page(&assessment);
    for code in Code::ALL {
        assert!(page.contains(&format!(">{code}</code>")), "{code}");
    }
    assert!(page.contains("The file ends before its index: the upload was cut."));
    assert!(page.contains("Run <code>hirenet doctor</code>"));
}

#[test]
fn the_bundles_kind_stands_in_plain_sight() {
    let mut assessment = scored();
    let untrained = page(&assessment);
    assert!(untrained.contains("Untrained bundle: the numbers mean nothing"));
    assessment.bundle.kind = BundleKind::Demo;
    assert!(page(&assessment).contains("trained on synthetic data"));
    assessment.bundle.kind = BundleKind::Trained;
    let trained = page(&assessment);
    assert!(trained.contains("<strong class=\"kind\">trained</strong>") && !trained.contains("<aside"));
}

#[test]
fn a_score_is_shown_with_its_sensitivity_and_never_with_a_verdict() {
    let page = page(&partial());
    assert!(page.contains("Sensitivity 0.55 to 0.71") && page.contains("not a confidence interval"));
    assert!(page.contains("Advice, not a decision."));
    let lower = page.to_lowercase();
    for word in ["accept", "reject", "hire this", "recommend"] {
        assert!(!lower.contains(word), "{word}");
    }
}

#[test]
fn a_refusal_has_reasons_and_no_score() {
    let page = page(&refused());
    assert!(page.contains("No score") && page.contains("No answer has any usable evidence."));
    assert!(!page.contains("score-value\""));
}

#[test]
fn one_answer_has_no_sensitivity() {
    assert!(page(&scored()).contains("needs at least two answers"));
}

#[test]
fn recognised_words_of_the_demo_model_are_labelled_and_given_words_are_not() {
    let page = page(&partial());
    assert_eq!(page.matches("Demo model, synthetic voices only:").count(), 1);
}

#[test]
fn the_page_names_no_resource_but_its_recordings() {
    let mut options = ReportOptions { title: Some("Sales assistant".to_owned()), media: Vec::new() };
    options.media.push(Media::Link { href: "a%201.webm".to_owned(), too_large: Some(31_000_000) });
    let page = render(&partial(), &options).unwrap();
    assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("//www"));
    assert_eq!(page.matches(" src=").count(), 1);
    assert!(page.contains("Too large to embed (31.0 MB; one page holds 20 MB)"));
    assert!(page.contains("<h1 dir=\"auto\">Sales assistant</h1>"));
}

#[test]
fn the_policy_names_exactly_the_pages_script_and_styles() {
    let page = page(&partial());
    let inside = |open: &str, close: &str| -> Vec<String> {
        page.split(open).skip(1).map(|rest| rest.split(close).next().unwrap().to_owned()).collect()
    };
    let parts = [inside("<style>", "</style>"), inside("<script>", "</script>")].concat();
    assert_eq!(parts.len(), 3);
    for part in parts {
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(part.as_bytes()));
        assert!(page.contains(&format!("sha256-{digest}")), "the policy lacks a hash");
    }
    assert!(page.contains("default-src &#39;none&#39;"));
    assert!(!page.contains("style=\"") && !page.contains("onclick"));
}

#[test]
fn files_too_large_for_the_page_are_linked_and_the_others_embedded() {
    let folder = tempfile::tempdir().unwrap();
    let mut assessment = partial();
    for (answer, bytes) in assessment.answers.iter_mut().zip([15_000_000, 10_000_000, 4_000_000]) {
        let content = vec![0; bytes];
        answer.media_sha256 = Some(hirenet_core::sha256_bytes(&content));
        std::fs::write(folder.path().join(&answer.media), content).unwrap();
    }
    let path = folder.path().to_path_buf();
    let mut folders = MediaFolders { search: vec![path.clone()], page: path, embed: true };
    let media = resolve_media(&assessment, &folders);
    assert!(matches!(&media[0], Media::Embedded(uri) if uri.starts_with("data:video/webm;base64,AAAA")));
    assert_eq!(media[1], Media::Link { href: "a2.wav".to_owned(), too_large: Some(10_000_000) });
    assert!(matches!(media[2], Media::Embedded(_)));

    folders.embed = false;
    std::fs::write(folder.path().join("a1.webm"), "another").unwrap();
    let media = resolve_media(&assessment, &folders);
    assert_eq!(media[0], Media::Missing(media::MissingMedia::Changed));
    assert_eq!(media[1], Media::Link { href: "a2.wav".to_owned(), too_large: None });
}

#[test]
fn numbers_beyond_all_bounds_still_give_a_page() {
    let mut assessment = partial();
    assessment.score = Some(7.0);
    assessment.score_range = Some([-1.0, f64::MAX]);
    for span in &mut assessment.spans {
        (span.start, span.end, span.word_last) = (Some(-5.0), Some(1e300), Some(usize::MAX));
    }
    for answer in &mut assessment.answers {
        answer.duration_s = Some(-1.0);
        for segment in answer.transcript.iter_mut().flat_map(|transcript| &mut transcript.segments) {
            segment.word_last = usize::MAX;
        }
    }
    assessment.answers[0].duration_s = Some(f64::MAX);
    assessment.reasons[0].answer = Some("nowhere".to_owned());
    assessment.spans[0].answer = "nowhere".to_owned();
    let page = page(&assessment);
    assert!(page.contains("Answer nowhere") && !page.contains("NaN"));
    assessment.answers.clear();
    assert!(self::page(&assessment).contains("Advice, not a decision."));
}

#[test]
fn every_word_is_shown_once_whatever_the_segments_say() {
    let mut assessment = scored();
    let transcript = assessment.answers[0].transcript.as_mut().unwrap();
    let words = transcript.words.len();
    transcript.segments.remove(1);
    transcript.segments.truncate(2);
    assert_eq!(
        page(&assessment).matches("class=\"w a").count() - page(&refused()).matches("class=\"w a").count(),
        words
    );
}
